package console

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// bodiesAt waits for so many verified callbacks at a path, and returns their bodies, sorted.
func (s *stage) bodiesAt(t *testing.T, path, subscription string, n int) (bodies []string) {
	t.Helper()
	for range n {
		s.awaitDelivery(t, subscription, "succeeded")
	}
	for _, c := range s.verified(t, path, subscription) {
		bodies = append(bodies, string(c.body))
	}
	slices.Sort(bodies)
	if len(bodies) != n {
		t.Errorf("%d callbacks came to %s, want %d: %q", len(bodies), path, n, bodies)
	}
	return bodies
}

func TestAnAbandonedCartIsClickedAndRemindsWhoDidNotOrder(t *testing.T) {
	s := play(t)
	s.browse(t, "cart", nil)
	if got := s.bodiesAt(t, "/mail", "abandoned-cart", 1); len(got) == 1 && (!strings.Contains(got[0], `"user":"anna"`) || !strings.Contains(got[0], "COMEBACK15")) {
		t.Errorf("the reminder is %s, want anna's with the greater discount", got[0])
	}
}

func TestSevenStudyModesAreClickedAndCallOnceForEachMode(t *testing.T) {
	s := play(t)
	s.browse(t, "modes", nil)
	s.awaitDelivery(t, "study-flashcards", "succeeded")
	s.awaitDelivery(t, "study-learn", "succeeded")
	s.mu.Lock()
	came := len(s.came["/users/track"])
	s.mu.Unlock()
	if came != 2 {
		t.Errorf("%d callbacks came, want 2: flashcards once and learn once", came)
	}
	var list struct{ Data []struct{ ID, State string } }
	s.call(t, http.MethodGet, "/subscriptions", "", &list)
	if len(list.Data) != 7 || list.Data[0].State != "active" {
		t.Errorf("the subscriptions are %v, want seven that are active", list.Data)
	}
}

func TestASegmentsPostcardsAreClickedAndReachItsMembersOnly(t *testing.T) {
	s := play(t)
	s.browse(t, "postcards", nil)
	want := []string{`{"to":"Anna, Rome","card":"spring"}`, `{"to":"Carla, Oslo","card":"spring"}`}
	if got := s.bodiesAt(t, "/postcards", "postcard", 2); !slices.Equal(got, want) {
		t.Errorf("postcards are %q, want %q", got, want)
	}
}

func TestWhoeverGaveNoConsentGetsNothingUntilThePageSaysOtherwise(t *testing.T) {
	s := play(t)
	s.browse(t, "consent", nil)
	s.bodiesAt(t, "/welcome", "welcome-mail", 2)
}
