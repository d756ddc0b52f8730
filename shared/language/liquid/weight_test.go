package liquid_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/postino/postino/shared/language/liquid"
)

// written joins n texts that differ by a number.
func written(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

func heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

func TestATemplateWeighsWhatItTakesWithinAFactorOfTwo(t *testing.T) {
	for name, source := range map[string]string{
		"tiny":       `{{ data.x }}`,
		"constant":   `hello`,
		"two":        `{{ data.x }} and {{ event.type }}`,
		"filters":    `{{ data.x | upcase | append: "a" | truncate: 5, "x" }}`,
		"loop":       `{% for x in data.items %}{{ x.a }},{% if x.b > 1 and x.c == "q" %}y{% else %}z{% endif %}{% endfor %}`,
		"outputs":    strings.Repeat(`{{a}}`, 10000),
		"tags":       strings.Repeat(`{%break%}`, 7000),
		"one chain":  `{{ a ` + strings.Repeat(`|upcase`, 9000) + `}}`,
		"variables":  written(5000, `{{a%d}}`),
		"assigns":    written(2500, `{%% assign a%d=1 %%}`),
		"path":       `{{ a` + strings.Repeat(`.b`, 30000) + `}}`,
		"conditions": `{% if a` + strings.Repeat(` or a`, 12000) + ` %}x{% endif %}`,
		"cases":      `{% case a %}` + strings.Repeat(`{% when 1,2 %}`, 4000) + `{% endcase %}`,
		"cycle":      `{% cycle ` + strings.Repeat(`a,`, 30000) + `1 %}`,
		"one text":   strings.Repeat("x", 60000),
		"strings":    strings.Repeat(`{{'x'}}`, 9000),
		"lines":      "{% liquid\n" + strings.Repeat("echo a\n", 9000) + "%}",
	} {
		kept := make([]*liquid.Template, max(3, 50_000/len(source)))
		before := heap()
		for i := range kept {
			p, err := liquid.Parse(strings.Clone(source), liquid.Options{Secrets: true})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			kept[i] = p
		}
		taken := (heap() - before) / len(kept)
		if weight := kept[0].Weight(); taken > 2*weight || weight > 2*taken {
			t.Errorf("%s: weighs %d, takes %d", name, weight, taken)
		}
		runtime.KeepAlive(kept)
	}
}
