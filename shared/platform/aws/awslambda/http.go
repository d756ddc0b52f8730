package awslambda

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
)

// HTTP makes a Lambda handler for API Gateway's HTTP API (payload 2.0) out of
// an ordinary one.
func HTTP(h http.Handler) func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	return func(ctx context.Context, e events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		req, err := request(ctx, e)
		if err != nil {
			return events.APIGatewayV2HTTPResponse{}, fmt.Errorf("read request: %w", err)
		}
		w := &recorder{header: http.Header{}}
		h.ServeHTTP(w, req)
		return w.response(), nil
	}
}

func request(ctx context.Context, e events.APIGatewayV2HTTPRequest) (*http.Request, error) {
	body := []byte(e.Body)
	if e.IsBase64Encoded {
		var err error
		if body, err = base64.StdEncoding.DecodeString(e.Body); err != nil {
			return nil, err
		}
	}
	u := &url.URL{
		Scheme: "https", Host: e.RequestContext.DomainName, RawQuery: e.RawQueryString,
		Path: e.RawPath, RawPath: escaped(e.RawPath),
	}
	req, err := http.NewRequestWithContext(ctx, e.RequestContext.HTTP.Method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.RequestURI = u.RequestURI()
	req.RemoteAddr = e.RequestContext.HTTP.SourceIP
	for name, value := range e.Headers { // several values of one name come joined by commas
		req.Header.Set(name, value)
	}
	if len(e.Cookies) > 0 {
		req.Header.Set("Cookie", strings.Join(e.Cookies, "; "))
	}
	return req, nil
}

// free finds in a path the segment that may hold any character: the id of an
// event, or the key of a trigger's state.
var free = regexp.MustCompile(`^(/v1/tenants/[^/]+/(?:events|subscriptions/[^/]+/state)/)(.+?)(/replay|/expunge)?$`)

// escaped writes a path as its caller did. API Gateway hands it over decoded,
// in rawPath too, so that a slash in an id looks like one between segments. What
// follows a question mark in an id is lost before it comes here.
func escaped(path string) string {
	parts := free.FindStringSubmatch(path)
	if parts == nil {
		return (&url.URL{Path: path}).EscapedPath()
	}
	return (&url.URL{Path: parts[1]}).EscapedPath() + url.PathEscape(parts[2]) + parts[3]
}

// recorder keeps the answer until it is complete.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

func (w *recorder) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

func (w *recorder) response() events.APIGatewayV2HTTPResponse {
	w.WriteHeader(http.StatusOK)
	resp := events.APIGatewayV2HTTPResponse{StatusCode: w.status, Headers: map[string]string{}, Body: w.body.String()}
	if !utf8.Valid(w.body.Bytes()) {
		resp.Body, resp.IsBase64Encoded = base64.StdEncoding.EncodeToString(w.body.Bytes()), true
	}
	for name, values := range w.header {
		resp.Headers[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	return resp
}
