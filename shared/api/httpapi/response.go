package httpapi

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// Response is a successful answer.
type Response struct {
	Status int
	Header http.Header // more headers; may be nil
	Body   any         // nil for none, [Encoded] as it is, anything else as JSON
}

// Encoded is JSON that is written as it is.
type Encoded []byte

// MarshalJSON returns e as it is.
func (e Encoded) MarshalJSON() ([]byte, error) { return e, nil }

// OK is 200 with a body.
func OK(body any) Response { return Response{Status: http.StatusOK, Body: body} }

// NoContent is 204.
func NoContent() Response { return Response{Status: http.StatusNoContent} }

// Encode writes v as JSON without escaping what only HTML needs escaped. It
// panics if v, one of our own structs, cannot be written.
func Encode(v any) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic("httpapi: " + err.Error())
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

const problemType = "application/problem+json"

func errorResponse(p *Problem) Response {
	header := http.Header{"Content-Type": {problemType}}
	for name, values := range p.header {
		header[name] = values
	}
	return Response{Status: p.Status, Header: header, Body: p}
}

// Refuse answers with a problem, for what stands before all routes.
func Refuse(w http.ResponseWriter, r *http.Request, p *Problem) { write(w, r, errorResponse(p)) }

// restTime is how long a refusal waits for the rest of a body that nobody wants
// any more: some callers read no answer before they have sent it all.
const restTime = 2 * time.Second

// write sends the answer. Answers may hold secrets and never go stale well, so
// nothing between us and the caller may keep them, unless they say so.
func write(w http.ResponseWriter, r *http.Request, response Response) {
	header := w.Header()
	for name, values := range response.Header {
		header[name] = values
	}
	if header.Get("Cache-Control") == "" {
		header.Set("Cache-Control", "no-store")
	}
	header.Set("X-Content-Type-Options", "nosniff")
	if response.Status >= http.StatusBadRequest && r.Body != nil && r.Body != http.NoBody {
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(restTime))
	}
	if response.Body == nil {
		w.WriteHeader(response.Status)
		return
	}
	body, ok := response.Body.(Encoded)
	if !ok {
		body = Encode(response.Body)
	}
	if header.Get("Content-Type") == "" {
		header.Set("Content-Type", "application/json")
	}
	header.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(response.Status)
	if r.Method != http.MethodHead {
		w.Write(body) // a caller who is gone cannot be told
	}
}

// Time is a time as the API shows it.
type Time = webhook.Time
