package manage

import (
	"net/http"

	"github.com/postino/postino/console"
	"github.com/postino/postino/shared/api/httpapi"
)

// consolePolicy lets the console load and call only what comes from here, run no
// text as a program, and stand in no other page.
const consolePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; " +
	"form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// pages serve the console to those who run Postino, and, at another address, to
// subscribers. What one sees there is decided by the key with which the page calls the API.
type pages struct{}

func (p pages) routes() []httpapi.Route {
	return []httpapi.Route{
		{Method: get, Pattern: "/console", Roles: httpapi.Anyone, Handle: p.page},
		{Method: get, Pattern: "/console/assets/{file}", Roles: httpapi.Anyone, Handle: p.asset},
		{Method: get, Pattern: "/portal", Roles: httpapi.Anyone, Handle: p.page},
	}
}

// page is the one page, which loads the rest.
func (pages) page(r *httpapi.Request) (httpapi.Response, error) {
	return fileResponse(console.Page(r.Header.Get("Accept-Encoding"))), nil
}

// asset is a file that the page loads.
func (pages) asset(r *httpapi.Request) (httpapi.Response, error) {
	f, found := console.Asset(r.PathValue("file"), r.Header.Get("Accept-Encoding"))
	if !found {
		return httpapi.Response{}, httpapi.PathNotFound.Problem("There is no such file. Reload the page: it is older than this version of Postino.")
	}
	return fileResponse(f), nil
}

func fileResponse(f console.File) httpapi.Response {
	header := http.Header{
		"Content-Type": {f.Type}, "Vary": {"Accept-Encoding"}, "Content-Security-Policy": {consolePolicy},
		"Referrer-Policy": {"no-referrer"}, "Cross-Origin-Opener-Policy": {"same-origin"}, "Cache-Control": {"no-cache"},
	}
	if f.Encoding != "" {
		header["Content-Encoding"] = []string{f.Encoding}
	}
	if f.Lasting {
		header["Cache-Control"] = []string{"public, max-age=31536000, immutable"}
	}
	return httpapi.Response{Status: http.StatusOK, Header: header, Body: httpapi.Encoded(f.Body)}
}
