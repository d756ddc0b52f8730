package e2e

import "testing"

func TestStoriesThroughTheFunctions(t *testing.T) {
	for name, s := range stories(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			on := deploy(t, settings{})
			play(t, s, on)
			if dead := on.dead(); len(dead) > 0 {
				t.Errorf("dead letters: %v", dead)
			}
		})
	}
}
