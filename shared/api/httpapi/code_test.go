package httpapi

import (
	"slices"
	"testing"
)

func TestNoTwoCodesHaveOneNameAndAllAreOfErrors(t *testing.T) {
	var names []string
	for _, c := range Codes() {
		if slices.Contains(names, c.Name()) || c.Status() < 400 || c.Problem("").Title == "" {
			t.Errorf("code %q with status %d: want one of its own, of an error", c.Name(), c.Status())
		}
		names = append(names, c.Name())
	}
}

func TestWhoeverShouldComeBackIsToldWhen(t *testing.T) {
	for _, c := range Codes() {
		later := c.Status() == 429 || c.Status() == 503
		if got := c.Problem("").header.Get("Retry-After"); (got != "") != later {
			t.Errorf("%s (%d) says Retry-After %q", c.Name(), c.Status(), got)
		}
	}
	if got := Overloaded.Problem("").After(0).header.Get("Retry-After"); got != "1" {
		t.Errorf("no wait is %q seconds, want 1", got)
	}
}
