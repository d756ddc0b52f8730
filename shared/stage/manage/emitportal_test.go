package manage_test

import (
	"reflect"
	"strings"
	"testing"
)

const carts = `{"types":["cart.updated"],"emit":{"on":"fire","type":"cart.abandoned"}}`

const mails = `{"url":"https://a.example/","types":["a"],"emit":{"on":"success","type":"mail.sent"}}`

// An event of the tenant reaches every subscription: only who manages the tenant
// says that one is made, and of whose answers.
func TestAPortalKeyCannotSayWhichEventsAreMade(t *testing.T) {
	for name, tt := range map[string]struct {
		was, method, body, field string
	}{
		"a new one":              {"", "PUT", carts, "emit"},
		"one more":               {`{"url":"https://a.example/","types":["a"]}`, "PATCH", `{"emit":{"on":"success","type":"b"}}`, "emit"},
		"another type":           {mails, "PATCH", `{"emit":{"on":"success","type":"b"}}`, "emit"},
		"none":                   {mails, "PATCH", `{"emit":null}`, "emit"},
		"replaced without it":    {mails, "PUT", `{"url":"https://a.example/"}`, "emit"},
		"nothing but the events": {strings.Replace(mails, "success", "fire", 1), "PATCH", `{"url":null}`, "url"},
	} {
		t.Run(name, func(t *testing.T) {
			w := openWithPortal(t)
			if tt.was != "" {
				w.must(t, 201, "PUT", sub+"/s", tt.was)
			}
			got := w.asPortal(tt.method, sub+"/s", tt.body)
			if got.status != 422 || !reflect.DeepEqual(got.fields(t), []string{tt.field}) {
				t.Errorf("%s %s with a portal key = %d %s, want 422 for %s", tt.method, tt.body, got.status, got.body, tt.field)
			}
		})
	}
}

// What the new place answers must not become events of the tenant.
func TestASubscriptionThatAPortalKeyMovesMakesNoMoreEvents(t *testing.T) {
	for url, dropped := range map[string][]string{"https://a.example/other": nil, "https://b.example/": {"emit"}} {
		w := openWithPortal(t)
		w.must(t, 201, "PUT", sub+"/s", mails)
		got := w.asPortal("PATCH", sub+"/s", `{"url":"`+url+`"}`)
		if list := textList(got.get(t, "dropped")); got.status != 200 || !reflect.DeepEqual(list, dropped) {
			t.Errorf("PATCH with the url %s = %d %s, want %q dropped", url, got.status, got.body, dropped)
		}
		if s := w.version(t, "s"); (s.Emit == nil) != (dropped != nil) {
			t.Errorf("with the url %s its emit is %+v, want it gone: %t", url, s.Emit, dropped != nil)
		}
	}
}
