package bell_test

import (
	"testing"

	"github.com/postino/postino/shared/callback/bell"
	"github.com/postino/postino/shared/webhook"
)

var a, b = webhook.SubscriptionRef{Tenant: "acme", ID: "a"}, webhook.SubscriptionRef{Tenant: "acme", ID: "b"}

func heard(rung <-chan struct{}) bool {
	select {
	case <-rung:
		return true
	default:
		return false
	}
}

func TestARingIsHeardByAllWhoWaitThenAndByNobodyElse(t *testing.T) {
	var bells bell.Bells
	bells.Ring(a)
	first, leave := bells.Wait(a)
	second, _ := bells.Wait(a)
	other, _ := bells.Wait(b)
	if heard(first) {
		t.Fatal("a ring before the wait was heard, want none")
	}
	leave()
	bells.Ring(a)
	third, _ := bells.Wait(a)
	if got := []bool{heard(first), heard(second), heard(other), heard(third)}; got[0] != true || !got[1] || got[2] || got[3] {
		t.Errorf("who heard the ring: %v, want the two who waited for a, of whom one had left", got)
	}
	bells.Close()
	later, leave := bells.Wait(b)
	leave()
	if !heard(other) || !heard(third) || !heard(later) || !bells.Closed() {
		t.Error("somebody still waits after Close, want nobody")
	}
}
