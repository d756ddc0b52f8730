// Package httpapi contains what all routes of the API share: one table of
// routes, keys, limits, strict requests, pages of lists, and problem documents
// for all errors.
//
// A handler takes a [Request] and returns a [Response] or an error. A
// [*Problem] is answered as it is; the refusals of package webhook and a
// deadline become 404 or 503; any other error, and a panic, is logged and
// becomes a bare 500. The order of checks is: path (404), method (405), key
// (401), role (403), tenant (422, or 404 when the key is another tenant's), room
// for the request (429, 503), query (422), and then the handler's own.
//
// Reading a request's head and body is bounded in size here and in time by the
// server ([http.Server.ReadTimeout], or API Gateway).
package httpapi

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// handlerTimeout bounds the work on one request of a route that does not say
// otherwise, below API Gateway's 30 s.
const handlerTimeout = 25 * time.Second

// Longest is the maximum of [Route.Within]. The function times out one second
// later, and API Gateway one second after that.
const Longest = 28 * time.Second

// Route is one row of the API's table of routes.
type Route struct {
	Method  string
	Pattern string   // a path as [http.ServeMux] writes it, without method; {tenant} is checked
	Roles   Role     // who may call it, beside the admin key; [Anyone] needs no key
	Query   []string // names of the query parameters it knows
	// Within is how long the work may take, up to [Longest]; 0 means 25 s.
	Within time.Duration
	// Origins is true for a route that CloudEvents' webhooks post to: whoever asks
	// by OPTIONS whether an origin may is told yes, and its key decides.
	Origins bool
	// Handle answers. It is nil for a route that another function serves: the
	// row then only stands in Allow.
	Handle func(*Request) (Response, error)
}

// Router serves a table of routes. It is safe for concurrent use.
type Router struct {
	// Intake bounds the requests and bodies that are in hand; nil does not. It is
	// set before the first request.
	Intake *Intake
	// Refused is told of each request whose key was missing, unknown, or not one
	// that may do this; nil tells nobody. It is set before the first request.
	Refused func()
	// Failed is told of each request that is answered with 500: a fault of ours,
	// where 503 is a refusal. Nil tells nobody. It is set before the first request.
	Failed func()

	mux      *http.ServeMux
	auth     Authenticator
	log      *slog.Logger
	refusals refusals
}

// NewRouter returns a router of the routes. It panics on a pattern that
// [http.ServeMux] refuses. A nil log discards all lines.
func NewRouter(routes []Route, auth Authenticator, log *slog.Logger) *Router {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	rt := &Router{mux: http.NewServeMux(), auth: auth, log: log}
	byPattern := map[string]methods{}
	for _, route := range routes {
		m := byPattern[route.Pattern]
		if m == nil {
			m = methods{}
			byPattern[route.Pattern] = m
			rt.mux.HandleFunc(route.Pattern, func(w http.ResponseWriter, r *http.Request) { rt.serve(w, r, m) })
		}
		m[route.Method] = route
	}
	rt.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { write(w, r, errorResponse(rt.nothing(r))) })
	return rt
}

// methods are the routes of one path, by method.
type methods map[string]Route

// find returns the route of a method; a path that can be read has a HEAD too.
func (m methods) find(method string) (Route, bool) {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	route, ok := m[method]
	return route, ok && route.Handle != nil
}

// allow is the value of the header Allow.
func (m methods) allow() string {
	names := []string{http.MethodOptions}
	for name := range m {
		names = append(names, name)
		if name == http.MethodGet {
			names = append(names, http.MethodHead)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// options are the headers that answer OPTIONS. A sender of CloudEvents asks
// with WebHook-Request-Origin before it posts (HTTP 1.1 Web Hooks for Event
// Delivery, 4); any origin may, as often as it likes, if it has a key.
func (m methods) options(r *http.Request) http.Header {
	header := http.Header{"Allow": {m.allow()}}
	if m[http.MethodPost].Origins && r.Header.Get("WebHook-Request-Origin") != "" {
		header["Webhook-Allowed-Origin"], header["Webhook-Allowed-Rate"] = []string{"*"}, []string{"*"}
	}
	return header
}

// ServeHTTP answers one request.
func (rt *Router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer rt.recovered(w, r)
	if escaped := r.URL.EscapedPath(); path.Clean(escaped) != escaped { // ServeMux would redirect
		write(w, r, errorResponse(rt.nothing(r)))
		return
	}
	rt.mux.ServeHTTP(w, r)
}

// nothing is the 404 of a path that no route has. It names the route that was
// probably meant: without the slash at the end, or with what comes before.
func (rt *Router) nothing(r *http.Request) *Problem {
	const detail = "There is nothing at this path. "
	clean := path.Clean("/" + r.URL.Path)
	for _, before := range []string{"", "/v1", "/v1/tenants/tenant"} {
		_, route := rt.mux.Handler(&http.Request{Method: http.MethodGet, URL: &url.URL{Path: before + clean}})
		if route != "" && route != "/" {
			return PathNotFound.Problem(detail + "Did you mean " + route + "?")
		}
	}
	return PathNotFound.Problem(detail + "The paths of a tenant begin with /v1/tenants/{tenant}; GET /openapi.json lists all paths.")
}

// recovered answers for a handler that panicked.
func (rt *Router) recovered(w http.ResponseWriter, r *http.Request) {
	cause := recover()
	if cause == nil {
		return
	}
	if cause == http.ErrAbortHandler {
		panic(cause)
	}
	rt.noteFault()
	rt.log.Error("panic", "method", r.Method, "route", r.Pattern, "cause", cause, "stack", string(debug.Stack()))
	write(w, r, errorResponse(fault))
}

func (rt *Router) noteFault() {
	if rt.Failed != nil {
		rt.Failed()
	}
}

// serve answers a request whose path is known.
func (rt *Router) serve(w http.ResponseWriter, r *http.Request, m methods) {
	route, ok := m.find(r.Method)
	switch {
	case ok:
		rt.answer(w, r, route)
	case r.Method == http.MethodOptions:
		write(w, r, Response{Status: http.StatusNoContent, Header: m.options(r)})
	default:
		write(w, r, errorResponse(notAllowed(r.Method, m.allow())))
	}
}

func (rt *Router) answer(w http.ResponseWriter, r *http.Request, route Route) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(r.Context(), cmp.Or(route.Within, handlerTimeout))
	defer cancel()
	request := &Request{Request: r.WithContext(ctx), w: w, intake: rt.Intake}
	defer request.release()
	response, err := rt.call(request, route)
	if err != nil {
		problem := problemOf(err)
		if problem.Status == http.StatusInternalServerError {
			rt.noteFault()
		}
		if problem.Status >= 500 {
			level := slog.LevelError
			if problem.Status == http.StatusServiceUnavailable {
				level = slog.LevelWarn
			}
			rt.log.LogAttrs(ctx, level, "request failed", request.attributes(route, problem.Status, began, slog.String("cause", err.Error()))...)
		}
		write(w, r, errorResponse(problem))
		return
	}
	if route.Method != http.MethodGet {
		rt.log.LogAttrs(ctx, slog.LevelInfo, "request", request.attributes(route, response.Status, began)...)
	}
	write(w, r, request.warning(response))
}

// call checks what every route checks, then lets the route handle.
func (rt *Router) call(r *Request, route Route) (Response, error) {
	if err := rt.admit(r, route); err != nil {
		rt.noteRefusal(r, route, err)
		return Response{}, err
	}
	if route.Roles != Anyone {
		if err := r.enter(); err != nil {
			return Response{}, err
		}
	}
	if err := r.parseQuery(route.Query); err != nil {
		return Response{}, err
	}
	return route.Handle(r)
}
