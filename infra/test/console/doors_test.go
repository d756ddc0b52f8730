package console

import (
	"bytes"
	"net/http"
	"regexp"
	"testing"

	"github.com/postino/postino/cmd/postino/demo"
)

func TestARevokedKeyLeadsBackToSignInWithoutLosingTheForm(t *testing.T) {
	s := play(t)
	s.call(t, http.MethodPut, "/subscriptions/orders", `{"url":"`+s.receiver+`/orders"}`, nil)
	s.browse(t, "again", nil)
	var sub struct{ Name string }
	s.call(t, http.MethodGet, "/subscriptions/orders", "", &sub)
	if want := "what somebody wrote"; sub.Name != want {
		t.Errorf("the subscription's name is %q, want %q, written before the key was revoked", sub.Name, want)
	}
}

func TestAPortalCustomerAddsAnEndpointTestsItAndRecoversIt(t *testing.T) {
	s := play(t)
	s.browse(t, "portal", nil)
	if came := s.verified(t, "/hooks", "mine"); len(came) == 0 {
		t.Error("nothing came to the customer's mended endpoint")
	}
}

func TestTheConsoleSpeaksItalian(t *testing.T) {
	s := play(t)
	s.furnish(t)
	s.browse(t, "italian", nil)
}

func TestTheDemoEndsWithAnAddressThatShowsItsCallbacks(t *testing.T) {
	s := play(t)
	var out bytes.Buffer
	if err := (demo.Demo{URL: s.URL(), Key: adminKey, Out: &out}).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	address := regexp.MustCompile(`http\S+/console\S+`).FindString(out.String())
	s.browse(t, "demo", map[string]any{"address": address})
}
