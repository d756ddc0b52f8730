package e2e

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
)

// maxInvocation is the most that Lambda takes as the payload of a synchronous
// invocation.
const maxInvocation = 6 << 20

// gateway is the HTTP API: it hands each request to the function of its route,
// as an event of payload format 2.0.
type gateway struct {
	routes    *http.ServeMux       // only to find the route
	functions map[string]*function // by route key
}

func newGateway(functions map[string]*function) *gateway {
	g := &gateway{http.NewServeMux(), functions}
	for key := range functions {
		if key != "$default" {
			g.routes.Handle(key, http.NotFoundHandler())
		}
	}
	return g
}

// ServeHTTP answers one request.
func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	_, key := g.routes.Handler(r)
	if key == "" {
		key = "$default"
	}
	payload, err := json.Marshal(gatewayEvent(r, key, body))
	if err != nil || len(payload) > maxInvocation {
		plain(w, http.StatusRequestEntityTooLarge, "Request Too Long")
		return
	}
	answer, err := g.functions[key].invoke(r.Context(), payload)
	var response events.APIGatewayV2HTTPResponse
	if err != nil || json.Unmarshal(answer, &response) != nil {
		plain(w, http.StatusInternalServerError, "Internal Server Error")
		return
	}
	for name, value := range response.Headers {
		w.Header().Set(name, value)
	}
	w.WriteHeader(response.StatusCode)
	content := []byte(response.Body)
	if response.IsBase64Encoded {
		content, _ = base64.StdEncoding.DecodeString(response.Body)
	}
	w.Write(content)
}

// plain is an answer of API Gateway's own.
func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]string{"message": text})
}

func gatewayEvent(r *http.Request, key string, body []byte) events.APIGatewayV2HTTPRequest {
	e := events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: key, RawPath: r.URL.Path, RawQueryString: r.URL.RawQuery, // HTTP APIs decode what they call raw
		Headers: map[string]string{"host": apiHost}, Body: string(body),
	}
	for name, values := range r.Header {
		e.Headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	if !isText(r.Header.Get("Content-Type")) || !utf8.Valid(body) {
		e.Body, e.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
	}
	e.RequestContext.RouteKey, e.RequestContext.Stage = key, "$default"
	e.RequestContext.DomainName, e.RequestContext.AccountID = apiHost, account
	e.RequestContext.TimeEpoch = time.Now().UnixMilli()
	e.RequestContext.HTTP = events.APIGatewayV2HTTPRequestContextHTTPDescription{
		Method: r.Method, Path: r.URL.Path, Protocol: r.Proto, SourceIP: "192.0.2.1", UserAgent: r.UserAgent(),
	}
	return e
}

// isText reports whether API Gateway hands over such a body as it is.
func isText(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && (strings.HasPrefix(media, "text/") || strings.HasSuffix(media, "json") || strings.HasSuffix(media, "xml"))
}
