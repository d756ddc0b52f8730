package docs

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/api/openapi"
)

var codeSection = regexp.MustCompile("(?m)^## (\\d{3})$|^### `([^`]*)`$")

func TestEveryCodeIsExplainedUnderItsStatusAndNoOther(t *testing.T) {
	var got, want []string
	status := ""
	for _, m := range codeSection.FindAllStringSubmatch(pages(t)["docs/errors.md"], -1) {
		if m[1] != "" {
			status = m[1]
			continue
		}
		got = append(got, status+" "+m[2])
	}
	for _, c := range httpapi.Codes() {
		want = append(want, fmt.Sprintf("%d %s", c.Status(), c.Name()))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("docs/errors.md explains\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestTheTypeOfAProblemLeadsToItsCodesSection(t *testing.T) {
	const repository = "https://github.com/postino/postino/blob/main/"
	text := pages(t)["docs/errors.md"]
	for _, c := range httpapi.Codes() {
		file, anchor, _ := strings.Cut(c.Problem("").Type, "#")
		if file != repository+"docs/errors.md" || !slices.Contains(anchors(text), anchor) || anchor != c.Name() {
			t.Errorf("the type of %s is %s, want its section in docs/errors.md", c.Name(), c.Problem("").Type)
		}
	}
}

func TestTheDescriptionListsEveryCodeAndNoOther(t *testing.T) {
	var doc struct {
		Components struct {
			Schemas map[string]struct {
				Properties map[string]struct {
					Codes []string `json:"x-extensible-enum"`
				}
			}
		}
	}
	if err := json.Unmarshal(openapi.Document, &doc); err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, c := range httpapi.Codes() {
		want = append(want, c.Name())
	}
	if got := doc.Components.Schemas["Problem"].Properties["code"].Codes; !slices.Equal(got, want) {
		t.Errorf("openapi.json lists the codes %v, want %v", got, want)
	}
}
