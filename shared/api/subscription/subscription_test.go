package subscription_test

import (
	"encoding/json"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postino/postino/shared/api/subscription"
	"github.com/postino/postino/shared/callback/egress"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/webhook"
)

func parse(t testing.TB, text string) strictjson.Value {
	t.Helper()
	v, err := strictjson.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

const everything = `{"name":"n","description":"d","metadata":{"a":1},"url":"https://a.example","types":["a","b*"],"request":{"format":"cloudevents"},` +
	`"signing":"v1","retry":{"schedule":[],"timeout":"1s","success":["409"],"permanent":["4xx"]},"rate_limit":{"per_second":7},"state":"paused"}`

func TestWhatIsShownCanBeWrittenBack(t *testing.T) {
	for _, text := range []string{`{"url":"https://a.example"}`, everything, `{"url":"https://a.example","name":null,"types":null,"request":null,"retry":{},"metadata":{}}`} {
		wish, err := subscription.Read(parse(t, text), subscription.Default(), &egress.Guard{})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		shown := subscription.View(wish.Subscription, "")
		var object map[string]json.RawMessage
		if err := json.Unmarshal(shown, &object); err != nil {
			t.Fatal(err)
		}
		for _, ours := range []string{"id", "disabled_reason", "created_at", "updated_at"} {
			delete(object, ours)
		}
		back, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		again, err := subscription.Read(parse(t, string(back)), subscription.Default(), &egress.Guard{})
		if err != nil {
			t.Fatalf("%s: %v", back, err)
		}
		if diff := cmp.Diff(string(shown), string(subscription.View(again.Subscription, ""))); diff != "" {
			t.Errorf("%s: shown differs after writing it back (-before +after):\n%s", text, diff)
		}
	}
}

func TestNullSetsEveryDefault(t *testing.T) {
	base, err := subscription.Read(parse(t, everything), subscription.Default(), &egress.Guard{})
	if err != nil {
		t.Fatal(err)
	}
	cleared, err := subscription.Read(parse(t, `{"name":null,"description":null,"metadata":null,"types":null,"request":null,"signing":null,"retry":null,"rate_limit":null,"state":null}`),
		base.Subscription, &egress.Guard{})
	if err != nil {
		t.Fatal(err)
	}
	want := subscription.Default()
	want.URL = "https://a.example"
	if diff := cmp.Diff(want, cleared.Subscription); diff != "" {
		t.Errorf("cleared differs from default (-want +got):\n%s", diff)
	}
}

func TestReadingLeavesTheBaseAlone(t *testing.T) {
	base, err := subscription.Read(parse(t, everything), subscription.Default(), &egress.Guard{})
	if err != nil {
		t.Fatal(err)
	}
	before := subscription.View(base.Subscription, "")
	if _, err := subscription.Read(parse(t, `{"types":["x"],"metadata":{"z":1},"request":{},"retry":{"schedule":["9s"]}}`), base.Subscription, &egress.Guard{}); err != nil {
		t.Fatal(err)
	}
	if after := subscription.View(base.Subscription, ""); string(after) != string(before) {
		t.Errorf("base became %s", after)
	}
}

// anywhere lets the fuzzer past the guard.
type anywhere struct{}

func (anywhere) CheckURL(*url.URL) error { return nil }

// FuzzRead holds that what is taken is complete, shown as valid JSON, and the
// same when what is shown is written again.
func FuzzRead(f *testing.F) {
	for _, text := range []string{
		everything, `{"url":"https://a.example"}`, `{"url":null}`, `{"url":5,"types":[1,"*"],"retry":{"schedule":["5s",7],"x":1}}`, `[]`,
		`{"id":"a","secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw","url":"http://x"}`, `{"filter":{}}`, `{"metadata":{"<":"\u2028"},"url":"https://a/%20?x"}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := strictjson.Parse(text)
		if err != nil {
			return
		}
		wish, err := subscription.Read(v, subscription.Default(), anywhere{})
		if err != nil {
			if len(err.Error()) > 64<<10 {
				t.Errorf("the refusal has %d bytes", len(err.Error()))
			}
			return
		}
		s := wish.Subscription
		if s.URL == "" || s.State == "" || s.Signing == "" || s.Retry.Timeout == "" || s.Retry.Schedule == nil || strings.ContainsAny(s.URL, " \r\n#") {
			t.Errorf("taken, but not complete: %+v", s)
		}
		shown := subscription.View(s, "")
		if !json.Valid(shown) {
			t.Fatalf("shown as %s", shown)
		}
		var stored webhook.Subscription // as adapters keep it
		if kept, err := json.Marshal(s); err != nil || json.Unmarshal(kept, &stored) != nil {
			t.Fatalf("cannot be kept: %v", err)
		}
		if !reflect.DeepEqual(stored.Types, s.Types) || stored.URL != s.URL || !reflect.DeepEqual(stored.Retry, s.Retry) {
			t.Errorf("kept as %+v, was %+v", stored, s)
		}
	})
}
