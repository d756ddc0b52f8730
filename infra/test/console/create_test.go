package console

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFromAnEmptyTenantTheFifthFlightIsBuiltByClickingToAVerifiedCallback(t *testing.T) {
	s := play(t)
	s.browse(t, "create", nil)
	s.awaitDelivery(t, "fifth-flight", "succeeded")
	came := s.verified(t, "/users/anna/points", "fifth-flight")
	if len(came) != 1 {
		t.Fatalf("%d callbacks came, want one, for the fifth flight", len(came))
	}
	if got, want := came[0].header.Get("Authorization"), "Bearer t0ken-of-loyalty"; got != want {
		t.Errorf("Authorization is %q, want %q", got, want)
	}
	var sub struct {
		URL     string
		Types   []string
		Trigger map[string]any
	}
	s.call(t, http.MethodGet, "/subscriptions/fifth-flight", "", &sub)
	want := map[string]any{"key": "subject", "at": 5.0, "distinct": "data.booking"}
	if diff := cmp.Diff(want, sub.Trigger); diff != "" || sub.URL != s.receiver+"/users/{{ subject }}/points" {
		t.Errorf("the subscription calls %s, and its trigger differs (-want +got):\n%s", sub.URL, diff)
	}
}

func TestAConditionAndATriggerThatAreClickedAreWhatTheAPIStores(t *testing.T) {
	s := play(t)
	s.call(t, http.MethodPost, "/events", `{"type":"cart.changed","subject":"ben","data":{"total":120.50,"tier":"gold"}}`, nil)
	s.browse(t, "build", nil)
	var got map[string]any
	s.call(t, http.MethodGet, "/subscriptions/reminder", "", &got)
	want := map[string]any{
		"types":   []any{"cart.changed"},
		"filter":  map[string]any{"data": map[string]any{"total": []any{map[string]any{"numeric": []any{">", 100.0}}}, "tier": []any{"gold", "silver"}}},
		"trigger": map[string]any{"key": "subject", "delay": "1h", "cancel": []any{map[string]any{"types": []any{"order.placed"}}}, "once_per": "30d"},
		"request": map[string]any{"body": map[string]any{"user": "{{ subject }}"}},
		"state":   "paused",
	}
	for name, value := range want {
		if diff := cmp.Diff(value, got[name]); diff != "" {
			t.Errorf("%s differs (-want +got):\n%s", name, diff)
		}
	}
}
