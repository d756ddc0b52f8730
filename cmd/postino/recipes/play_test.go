package recipes_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/postino/postino/cmd/postino/recipes"
)

// TestAPlayTellsWhatDiffers breaks a recipe in each way in which the requests
// may differ from what it promises.
func TestAPlayTellsWhatDiffers(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		breaks     func(r *recipes.Recipe, promised *recipes.Request)
	}{
		{"body", "missing", func(_ *recipes.Recipe, p *recipes.Request) { p.Body = replaced(p.Body, "JP-7", "JP-8") }},
		{"url", "unexpected", func(_ *recipes.Recipe, p *recipes.Request) { p.URL += "?x=1" }},
		{"method", "missing", func(_ *recipes.Recipe, p *recipes.Request) { p.Method = "PUT" }},
		{"auth", "missing", func(_ *recipes.Recipe, p *recipes.Request) { p.Headers["authorization"] = "Bearer other" }},
		{"a header more", "missing", func(_ *recipes.Recipe, p *recipes.Request) { p.Headers["x-more"] = "1" }},
		{"a header less", "unexpected", func(_ *recipes.Recipe, p *recipes.Request) { delete(p.Headers, "x-line-retry-key") }},
		{"another signer", "missing", func(_ *recipes.Recipe, p *recipes.Request) { p.Subscription = "other" }},
		{"a request too many", "unexpected", func(r *recipes.Recipe, _ *recipes.Request) { r.Story[0].Requests = nil }},
		{"a reason that is none", "missing: anna", func(r *recipes.Recipe, _ *recipes.Request) {
			r.Story[0].Reasons = append(r.Story[0].Reasons, recipes.Reason{Event: "anna", Subscription: "line", Reason: "filter"})
		}},
		{"another reason", "missing: carla", func(r *recipes.Recipe, _ *recipes.Request) { r.Story[2].Reasons[0].Reason = "once" }},
		{"a reason not told", "unexpected: ", func(r *recipes.Recipe, _ *recipes.Request) { r.Story[0].Reasons = nil }},
		{"what comes after the end", "after the end", func(r *recipes.Recipe, _ *recipes.Request) { r.Story = r.Story[:1] }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, err := recipes.Load("line")
			if err != nil {
				t.Fatal(err)
			}
			tt.breaks(&r, &r.Story[0].Requests[0])
			err = recipes.Player{}.Play(t.Context(), r, start(t, nil), "acme")
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Play() = %v, want an error about %q", err, tt.want)
			}
		})
	}
}

func replaced(body json.RawMessage, from, to string) json.RawMessage {
	return json.RawMessage(strings.ReplaceAll(string(body), from, to))
}

func TestARecipeThatIsUnknownNamesThoseKnown(t *testing.T) {
	_, err := recipes.Load("nope")
	if err == nil || !strings.Contains(err.Error(), "abandoned-cart, consent, discount") {
		t.Errorf("Load(nope) = %v, want the names", err)
	}
}

// TestStudyModesAreToldOncePerUser counts what the recipe promises: of 20
// events of each of 7 modes one request each, for either of two users.
func TestStudyModesAreToldOncePerUser(t *testing.T) {
	for _, name := range []string{"study-modes", "study-modes-in-one"} {
		r, err := recipes.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		if n := r.Requests(); n != 2*7 || !r.AnyOrder || r.Story[1].Times != 20 || len(r.Story[1].Events) != 2*7 {
			t.Errorf("%s: %d requests of %d × %d events, want 14 of 20 × 14, in any order", name, n, r.Story[1].Times, len(r.Story[1].Events))
		}
	}
}

// TestAPlayTellsWhatTheAPIShowsOtherwise breaks what a recipe says of the API.
func TestAPlayTellsWhatTheAPIShowsOtherwise(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		breaks     func(*recipes.Recipe)
	}{
		{"another value", ".attributes.consent is false, want true", func(r *recipes.Recipe) {
			r.Story[2].Sees[0].Shows = json.RawMessage(`{"attributes":{"consent":true}}`)
		}},
		{"a member that is not there", ".attributes.name is <nil>, want Ben", func(r *recipes.Recipe) {
			r.Story[2].Sees[0].Shows = json.RawMessage(`{"attributes":{"name":"Ben"}}`)
		}},
		{"a list that is none", ".attributes is map", func(r *recipes.Recipe) {
			r.Story[2].Sees[0].Shows = json.RawMessage(`{"attributes":[]}`)
		}},
		{"a profile that is not there", "404", func(r *recipes.Recipe) { r.Story[2].Sees[0].Get = "/profiles/nobody" }},
		{"a call that is refused", "422", func(r *recipes.Recipe) {
			r.Story[0].Calls = []recipes.Call{{Call: "PUT /segments/all", Body: json.RawMessage(`{"filter":1}`)}}
		}},
		{"a call without a path", "want a method and a path", func(r *recipes.Recipe) { r.Setup[0].Call = "PUT" }},
		{"an eve of nothing", "are not put forward", func(r *recipes.Recipe) { r.Story[0].Eve = "UTC forward" }},
		{"an eve nowhere", "want a zone and a way", func(r *recipes.Recipe) { r.Story[0].Eve = "Rome" }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, err := recipes.Load("consent")
			if err != nil {
				t.Fatal(err)
			}
			tt.breaks(&r)
			err = recipes.Player{}.Play(t.Context(), r, start(t, nil), "acme")
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Play() = %v, want an error about %q", err, tt.want)
			}
		})
	}
}
