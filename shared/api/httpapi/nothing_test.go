package httpapi

import (
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAPathThatNoRouteHasNamesTheOneThatWasMeant(t *testing.T) {
	ok := func(*Request) (Response, error) { return NoContent(), nil }
	routes := []Route{
		{Method: "GET", Pattern: "/v1/tenants/{tenant}/events", Roles: Manage, Handle: ok},
		{Method: "GET", Pattern: "/v1/tenants/{tenant}/events/{id}", Roles: Manage, Handle: ok},
		{Method: "GET", Pattern: "/v1/tenants", Roles: Admin, Handle: ok},
	}
	const everything = "GET /openapi.json"
	for path, want := range map[string]string{
		"/v1/tenants/acme/events/":    "Did you mean /v1/tenants/{tenant}/events?",
		"/v1/tenants/acme//events":    "Did you mean /v1/tenants/{tenant}/events?",
		"/v1/tenants/":                "Did you mean /v1/tenants?",
		"/tenants/acme/events":        "Did you mean /v1/tenants/{tenant}/events?",
		"/tenants/acme/events/a%2Fb/": everything,
		"/events":                     "Did you mean /v1/tenants/{tenant}/events?",
		"/events/e1":                  "Did you mean /v1/tenants/{tenant}/events/{id}?",
		"/":                           everything,
		"/v2/tenants/acme/events":     everything,
		"/v1/tenants/acme/colours":    everything,
		"/%00":                        everything,
	} {
		w := serve(routes, keys{}, nil, httptest.NewRequest("POST", path, nil))
		if w.Code != 404 || !strings.Contains(w.Body.String(), want) || !strings.Contains(w.Body.String(), `"code":"path_not_found"`) {
			t.Errorf("%s = %d %s, want %q", path, w.Code, w.Body, want)
		}
	}
}

func TestAnUnknownQueryParameterNamesTheOnesThereAre(t *testing.T) {
	ok := func(*Request) (Response, error) { return NoContent(), nil }
	for query, want := range map[string]string{
		"limits=5":  `did you mean \"limit\"?`,
		"page=2":    "there are limit, cursor, order",
		"Cursor=a":  `did you mean \"cursor\"?`,
		"limit=%zz": "malformed",
	} {
		routes := []Route{{Method: "GET", Pattern: "/x", Roles: Admin, Query: PageQuery, Handle: ok}}
		w := serve(routes, keys{}, nil, httptest.NewRequest("GET", "/x?"+query, nil))
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("?%s = %d %s, want %q", query, w.Code, w.Body, want)
		}
	}
}
