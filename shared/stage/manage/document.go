package manage

import (
	"net/http"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/api/openapi"
)

// document is the API's description for programs.
func (h *Handler) document(*httpapi.Request) (httpapi.Response, error) {
	return httpapi.OK(httpapi.Encoded(openapi.Document)), nil
}

// pagePolicy lets the documentation load nothing and run nothing.
const pagePolicy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// docs is the same for people.
func (h *Handler) docs(*httpapi.Request) (httpapi.Response, error) {
	header := http.Header{"Content-Type": {"text/html; charset=utf-8"}, "Content-Security-Policy": {pagePolicy}}
	return httpapi.Response{Status: http.StatusOK, Header: header, Body: httpapi.Encoded(openapi.Page)}, nil
}
