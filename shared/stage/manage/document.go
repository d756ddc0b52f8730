package manage

import (
	"net/http"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/api/openapi"
)

// documents serve the API's own description.
type documents struct{}

func (d documents) routes() []httpapi.Route {
	return []httpapi.Route{
		{Method: get, Pattern: "/openapi.json", Roles: httpapi.Anyone, Handle: d.openapi},
		{Method: get, Pattern: "/docs", Roles: httpapi.Anyone, Handle: d.page},
	}
}

// openapi is the API's description for programs.
func (documents) openapi(*httpapi.Request) (httpapi.Response, error) {
	return httpapi.OK(httpapi.Encoded(openapi.Document)), nil
}

// pagePolicy lets the documentation load nothing and run nothing.
const pagePolicy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// page is the same for people.
func (documents) page(*httpapi.Request) (httpapi.Response, error) {
	header := http.Header{"Content-Type": {"text/html; charset=utf-8"}, "Content-Security-Policy": {pagePolicy}}
	return httpapi.Response{Status: http.StatusOK, Header: header, Body: httpapi.Encoded(openapi.Page)}, nil
}
