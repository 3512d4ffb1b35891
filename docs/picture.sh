#!/usr/bin/env bash
# Makes docs/report.png: runs a shipped scenario and takes a picture of its
# report with Chromium. Usage: docs/picture.sh [SCENARIO]
set -euo pipefail
cd "$(dirname "$0")/.."
scenario=${1:-breaker-opens-and-recovers}
chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || {
  echo "docs/picture.sh: Chromium is needed (Debian: apt-get install chromium)" >&2
  exit 1
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

make --no-print-directory build
bin/ordeal run --quiet --out "$work/runs" "$scenario"
"$chromium" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
  --disable-component-update --disable-sync --hide-scrollbars --user-data-dir="$work/profile" \
  --force-device-scale-factor=1 --window-size=1200,2160 --screenshot="$PWD/docs/report.png" \
  "file://$(echo "$work"/runs/*/report.html)" >/dev/null 2>&1
echo "docs/report.png"
