package openapi_test

import (
	"html"
	"regexp"
	"strings"
	"testing"

	"github.com/postino/postino/shared/api/openapi"
)

func TestPageLoadsAndRunsNothing(t *testing.T) {
	page := strings.ToLower(string(openapi.Page))
	for _, loads := range []string{"<script", "<link", "<img", "<iframe", "<object", "<embed", " src=", "url(", "@import", "http-equiv"} {
		if strings.Contains(page, loads) {
			t.Errorf("the page has %s", loads)
		}
	}
	if handler := regexp.MustCompile(`<[^>]*\son[a-z]+=`).FindString(page); handler != "" {
		t.Errorf("the page has %s", handler)
	}
}

func TestPageShowsEveryOperationAndItsLinksLead(t *testing.T) {
	page := html.UnescapeString(string(openapi.Page))
	for _, op := range open(t, false).operations() {
		if !strings.Contains(page, "<b>"+op.method+"</b> <code>"+op.path+"</code>") {
			t.Errorf("the page does not show %s", op)
		}
	}
	links := regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(page, -1)
	for _, link := range links {
		id, here := strings.CutPrefix(link[1], "#")
		if !here && link[1] != "openapi.json" || here && !strings.Contains(page, `id="`+id+`"`) {
			t.Errorf("a link leads to %s", link[1])
		}
	}
	if len(links) < 50 {
		t.Errorf("%d links, want one to every schema that is mentioned", len(links))
	}
}
