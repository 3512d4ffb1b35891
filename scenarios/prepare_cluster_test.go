package scenarios

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPrepareReadsWhatIsApplied(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"shop.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: shop}\n", "bad.yaml": "kind: Service\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const tail = "\nload: {l: {rate: 1/s, http: {target: t, get: /}}}\ntimeline: [{phase: p, for: 1s}]\nexpect: [{errors: {load: l, count: \"= 0\"}}]\n"
	for _, c := range []struct {
		cluster, service string
		at, says         string // at: what the place begins with; "" where nothing is wrong
	}{
		{cluster: "{local: {}, apply: [shop.yaml]}", service: "shop"},
		{cluster: `{local: {}, apply: ["shipped:overlays/local"]}`, service: "gateway"},
		{cluster: "{context: lab}", service: "whatever"},
		{cluster: "{local: {}, apply: [shop.yaml, none.yaml]}", service: "shop", at: "none.yaml", says: "there is no file or directory"},
		{cluster: "{context: lab, apply: [bad.yaml]}", service: "shop", at: "bad.yaml", says: "want apiVersion, kind and metadata.name"},
		{cluster: `{local: {}, apply: ["shipped:overlay/local"]}`, service: "shop", at: `"shipped:`, says: "no shipped kustomization is named"},
		{cluster: "{local: {}, apply: [shop.yaml]}", service: "shopp", at: "shopp", says: "nothing that is applied has a Service shopp"},
		{cluster: "local", service: "shop", at: "shop", says: "nothing that is applied has a Service shop"},
	} {
		p := mustParse(t, "ordeal: v1\nname: x\nkubernetes: "+c.cluster+"\ntargets:\n  t: {service: "+c.service+"}"+tail)
		es := asErrors(p.Prepare(dir))
		if c.says == "" {
			if len(es) > 0 {
				t.Errorf("%s: %v", c.cluster, es)
			}
			continue
		}
		if len(es) != 1 || !strings.HasPrefix(string([]rune(es[0].Source)[es[0].Column-1:]), c.at) || !strings.Contains(es[0].Msg, c.says) {
			t.Errorf("%s, %s: got %v, want %q at %q", c.cluster, c.service, es, c.says, c.at)
		}
	}
}

func TestAContextMustBeAllowed(t *testing.T) {
	const rest = "\ntargets: {t: {service: s}}\nload: {l: {rate: 1/s, http: {target: t, get: /}}}\ntimeline: [{phase: p, for: 1s}]\nexpect: [{errors: {load: l, count: \"= 0\"}}]\n"
	p := mustParse(t, "ordeal: v1\nname: x\nkubernetes: {context: lab}"+rest)
	for _, allow := range [][]string{nil, {"other"}} {
		es := asErrors(p.CheckContext(allow))
		if len(es) != 1 || es[0].Line != 3 || !strings.Contains(es[0].Hint, "--allow-context lab") {
			t.Errorf("%v: got %v", allow, es)
		}
	}
	if err := p.CheckContext([]string{"lab"}); err != nil {
		t.Error(err)
	}
	if err := p.CheckHosts(nil); err != nil {
		t.Errorf("the Pods of a context need no host of their own: %v", err)
	}
	if err := mustParse(t, "ordeal: v1\nname: x\nkubernetes: local"+rest).CheckContext(nil); err != nil {
		t.Errorf("a control plane of the run's own: %v", err)
	}
}
