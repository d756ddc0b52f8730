package awslambda_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"github.com/postino/postino/shared/platform/aws/awslambda"
	"github.com/postino/postino/shared/queue"
)

func TestBatchesAnswerWithWhatFailed(t *testing.T) {
	var got []queue.Message
	var logged strings.Builder
	h := awslambda.Queue(slog.New(slog.NewTextHandler(&logged, nil)),
		func(body string) ([]byte, error) {
			if body == "garbled" {
				return nil, errors.New("garbled")
			}
			return []byte("decoded " + body), nil
		},
		func(_ context.Context, batch []queue.Message) []string {
			got = batch
			return []string{"2"}
		})
	record := func(id, body, group string) events.SQSMessage {
		return events.SQSMessage{MessageId: id, Body: body, ReceiptHandle: "r" + id,
			Attributes: map[string]string{"ApproximateReceiveCount": "3", "MessageGroupId": group}}
	}
	resp, err := h(t.Context(), events.SQSEvent{Records: []events.SQSMessage{record("1", "a", "g"), record("2", "b", "h"), record("3", "garbled", "g")}})
	if err != nil {
		t.Fatal(err)
	}
	want := []queue.Message{
		{ID: "1", Receipt: "r1", Body: []byte("decoded a"), Group: "g", Received: 3},
		{ID: "2", Receipt: "r2", Body: []byte("decoded b"), Group: "h", Received: 3},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("batch differs (-want +got):\n%s", diff)
	}
	if !strings.Contains(logged.String(), "id=3") {
		t.Errorf("log = %q, want the message that could not be read", logged.String())
	}
	failures := []events.SQSBatchItemFailure{{ItemIdentifier: "3"}, {ItemIdentifier: "2"}}
	if diff := cmp.Diff(failures, resp.BatchItemFailures); diff != "" {
		t.Errorf("failures differ (-want +got):\n%s", diff)
	}
}

// Partial failures are successes to Lambda's metrics: a version that does
// nothing right would pass every alarm.
func TestAnInvocationFailsIfAllOfItsMessagesDid(t *testing.T) {
	for _, tt := range []struct {
		about  string
		bodies []string
		failed []string
		want   bool // an error
	}{
		{"all", []string{"a", "b"}, []string{"0", "1"}, true},
		{"all but one", []string{"a", "b"}, []string{"1"}, false},
		{"one that cannot be read, and the other", []string{"a", "garbled"}, []string{"0"}, true},
		{"only one that cannot be read", []string{"garbled"}, nil, true},
		{"none of none", nil, nil, false},
	} {
		h := awslambda.Queue(slog.New(slog.DiscardHandler), func(body string) ([]byte, error) {
			if body == "garbled" {
				return nil, errors.New("garbled")
			}
			return []byte(body), nil
		}, func(context.Context, []queue.Message) []string { return tt.failed })
		var e events.SQSEvent
		for i, body := range tt.bodies {
			e.Records = append(e.Records, events.SQSMessage{MessageId: strconv.Itoa(i), Body: body})
		}
		if _, err := h(t.Context(), e); (err != nil) != tt.want {
			t.Errorf("%s failed: the invocation's error is %v, want one: %v", tt.about, err, tt.want)
		}
	}
}

func TestRequestsArriveAsTheCallerWroteThem(t *testing.T) {
	var seen *http.Request
	var body []byte
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/tenants/{tenant}/events/{id}/replay", func(w http.ResponseWriter, r *http.Request) {
		seen = r
		body, _ = io.ReadAll(r.Body)
		w.Header().Set("Location", "/there")
		w.WriteHeader(http.StatusCreated)
		w.Write([]byte(`{"ok":true}`))
	})
	var e events.APIGatewayV2HTTPRequest
	raw := `{"version":"2.0","rawPath":"/v1/tenants/acme/events/a/b %2F/replay","rawQueryString":"source=%2Fx&limit=2","headers":{"content-type":"application/json","authorization":"Bearer k"},
		"requestContext":{"domainName":"api.example","http":{"method":"POST","sourceIp":"192.0.2.1"}},"body":"eyJhIjoxfQ==","isBase64Encoded":true}`
	if err := json.Unmarshal([]byte(raw), &e); err != nil {
		t.Fatal(err)
	}
	resp, err := awslambda.HTTP(mux)(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	if got := seen.PathValue("id"); got != "a/b %2F" {
		t.Errorf("id = %q, want a/b %%2F", got)
	}
	if got := seen.URL.Query().Get("source"); got != "/x" {
		t.Errorf("source = %q, want /x", got)
	}
	if got := seen.Header.Get("Authorization"); got != "Bearer k" {
		t.Errorf("Authorization = %q, want Bearer k", got)
	}
	if string(body) != `{"a":1}` {
		t.Errorf("body = %s, want {\"a\":1}", body)
	}
	want := events.APIGatewayV2HTTPResponse{StatusCode: 201, Headers: map[string]string{"location": "/there"}, Body: `{"ok":true}`}
	if diff := cmp.Diff(want, resp); diff != "" {
		t.Errorf("response differs (-want +got):\n%s", diff)
	}
}

func TestBytesThatAreNoTextGoBase64(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte{0xff, 0}) })
	resp, err := awslambda.HTTP(h)(t.Context(), events.APIGatewayV2HTTPRequest{RawPath: "/"})
	if err != nil {
		t.Fatal(err)
	}
	if resp.Body != "/wA=" || !resp.IsBase64Encoded || resp.StatusCode != 200 {
		t.Errorf("response = %+v, want /wA= as base64 with 200", resp)
	}
}
