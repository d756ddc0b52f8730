package exports_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postino/postino/shared/api/exports"
)

func TestEachSendersExportIsReadAsItsAPIListsIt(t *testing.T) {
	for _, tt := range []struct {
		format, export string
		want           []exports.Row
	}{
		{"svix", `{"data":[{"id":"ep_1srOrx2ZWZBpBUvZwXKQmoEYga2","uid":"unique-ep-identifier","url":"https://example.com/webhook/","description":"An example","filterTypes":["user.signup","user.deleted"],
			"channels":["project_123"],"disabled":true,"rateLimit":9,"metadata":{"a":"b"},"version":1,"createdAt":"2019-08-24T14:15:22Z","secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}],"iterator":"x","done":true}`,
			[]exports.Row{{Source: "unique-ep-identifier", ID: "unique-ep-identifier", Lost: []string{"channels"}, Subscription: map[string]any{
				"url": "https://example.com/webhook/", "description": "An example", "types": []string{"user.signup", "user.deleted"}, "metadata": map[string]string{"a": "b"},
				"rate_limit": map[string]int{"per_second": 9}, "state": "paused", "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
				"signature": []any{map[string]any{"preset": "svix", "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}},
			}}}},
		{"svix", `[{"id":"ep_1srOrx2ZWZBpBUvZwXKQmoEYga2","url":"https://a.example","filterTypes":null}]`,
			[]exports.Row{{Source: "ep_1srOrx2ZWZBpBUvZwXKQmoEYga2", ID: "ep_1srorx2zwzbpbuvzwxkqmoeyga2-dde1a7a14c4b", Subscription: map[string]any{"url": "https://a.example"}}}},
		{"outpost", `[{"id":"des_1","type":"webhook","topics":["user.created"],"config":{"url":"https://a.example","custom_headers":"{\"x-api-key\":\"k\"}"},"credentials":{"secret":"it's plain","previous_secret":"old"},"disabled_at":null},
			{"id":"des_2","type":"webhook","topics":"*","config":{"url":"https://b.example"},"credentials":{"secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}},
			{"id":"des_3","type":"aws_sqs","topics":["*"],"config":{"queue_url":"https://sqs"},"credentials":{"key":"k"}}]`,
			[]exports.Row{
				{Source: "des_1", ID: "des_1", Lost: []string{"credentials.previous_secret"}, Subscription: map[string]any{
					"url": "https://a.example", "types": []string{"user.created"}, "secret": map[string]string{"raw": "it's plain"}, "request": map[string]any{"headers": map[string]string{"x-api-key": "k"}},
					"signature": []any{map[string]any{"header": "x-outpost-signature", "text": "{{ body }}", "prefix": "v0=", "secret": "it's plain"}},
				}},
				{Source: "des_2", ID: "des_2", Subscription: map[string]any{"url": "https://b.example", "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}},
				{Source: "des_3", ID: "des_3", Wrong: "its type is aws_sqs, and only webhook can be imported", Subscription: map[string]any{"url": ""}},
			}},
		{"convoy", `{"status":true,"data":{"content":[{"uid":"01H3FRSZYKNYWGPVV46RN98PM5","name":"orders","endpoint_metadata":{"url":"https://a.example","status":"active",
			"secrets":[{"value":"Vuk5LM0uujddIsqO5v_eSuz88","expires_at":null}]},"filter_config":{"event_types":["*"],"filter":{"headers":{},"body":{}}}}],"pagination":{}}}`,
			[]exports.Row{{Source: "01H3FRSZYKNYWGPVV46RN98PM5", ID: "01h3frszyknywgpvv46rn98pm5-6c0aa6dd0a3f", Subscription: map[string]any{
				"url": "https://a.example", "name": "orders", "secret": map[string]string{"raw": "Vuk5LM0uujddIsqO5v_eSuz88"},
				"signature": []any{map[string]any{"header": "X-Convoy-Signature", "text": "{{ body }}", "secret": "Vuk5LM0uujddIsqO5v_eSuz88"}},
			}}}},
		{"csv", `"id,url,types,secret,rate_limit\na,https://a.example,order.paid order.sent,plain,5\nb,https://b.example\n"`,
			[]exports.Row{
				{Source: "a", ID: "a", Subscription: map[string]any{"url": "https://a.example", "types": []string{"order.paid", "order.sent"}, "secret": map[string]string{"raw": "plain"}, "rate_limit": map[string]int{"per_second": 5}}},
				{Source: "b", ID: "b", Wrong: "it has 2 fields, and the first line 5", Subscription: map[string]any{"url": "https://b.example"}},
			}},
	} {
		got, err := exports.Read(tt.format, json.RawMessage(tt.export))
		if err != nil {
			t.Errorf("%s: %v", tt.format, err)
		}
		ids := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".ID" }, cmp.Comparer(func(a, b string) bool {
			return a == b || len(a) == len(b) && len(a) > 12 && a[:len(a)-12] == b[:len(b)-12] // the hash is its own affair
		}))
		if diff := cmp.Diff(tt.want, got, ids); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.format, diff)
		}
		again, _ := exports.Read(tt.format, json.RawMessage(tt.export))
		if diff := cmp.Diff(got, again); diff != "" {
			t.Errorf("%s reads differently the second time:\n%s", tt.format, diff)
		}
	}
}

func TestWhatIsNoExportIsRefusedInWords(t *testing.T) {
	for _, tt := range []struct{ format, export string }{
		{"svix", `5`}, {"svix", `{"data":5}`}, {"svix", `[{"url":5}]`}, {"outpost", `"x"`}, {"convoy", `{"data":{"content":{}}}`},
		{"csv", `[]`}, {"csv", `""`}, {"csv", `"id,colour\na,b"`}, {"csv", `"id\na"`}, {"csv", `"url\n\"a"`},
	} {
		if rows, err := exports.Read(tt.format, json.RawMessage(tt.export)); err == nil {
			t.Errorf("%s %s is read as %v, want it refused", tt.format, tt.export, rows)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("svix", `{"data":[{"id":"ep_1","url":"https://a.example","secret":"s"}]}`)
	f.Add("outpost", `[{"id":"d","type":"webhook","topics":"*","config":{"url":"u","custom_headers":"{}"}}]`)
	f.Add("convoy", `{"data":{"content":[{"uid":"u","endpoint_metadata":{"secrets":[{"value":"v"}]}}]}}`)
	f.Add("csv", `"url,id\nhttps://a.example,\"a\""`)
	f.Fuzz(func(t *testing.T, format, export string) {
		if format != "svix" && format != "outpost" && format != "convoy" {
			format = "csv"
		}
		rows, err := exports.Read(format, json.RawMessage(export))
		if err != nil {
			return
		}
		for _, r := range rows {
			if len(r.ID) == 0 || len(r.ID) > 64 {
				t.Errorf("%q gets the id %q", r.Source, r.ID)
			}
		}
	})
}
