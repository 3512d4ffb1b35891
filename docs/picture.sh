#!/usr/bin/env bash
# Makes docs/report.png and docs/kubernetes.png: runs two shipped scenarios and
# takes pictures of their reports with Chromium.
set -euo pipefail
cd "$(dirname "$0")/.."
chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || {
  echo "docs/picture.sh: Chromium is needed (Debian: apt-get install chromium)" >&2
  exit 1
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

picture() { # SCENARIO HEIGHT FILE
  bin/ordeal run --quiet --out "$work/$1" "$1"
  "$chromium" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
    --disable-component-update --disable-sync --hide-scrollbars --user-data-dir="$work/profile" \
    --force-device-scale-factor=1 --window-size="1200,$2" --screenshot="$PWD/$3" \
    "file://$(echo "$work/$1"/*/report.html)" >/dev/null 2>&1
  echo "$3"
}

make --no-print-directory build localkube
picture breaker-opens-and-recovers 2160 docs/report.png
picture hpa-scales-up-and-down 1762 docs/kubernetes.png
