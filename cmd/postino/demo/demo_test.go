package demo_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/postino/postino/cmd/postino/demo"
	"github.com/postino/postino/cmd/postino/recipes"
	"github.com/postino/postino/cmd/postino/server"
	"github.com/postino/postino/cmd/postino/server/servertest"
)

func start(t *testing.T, testClock bool) *server.Server {
	t.Helper()
	return servertest.Start(t, func(c *server.Config) { c.TestClock = testClock })
}

func TestTheDemoShowsVerifiedCallbacksAndAThirdFlight(t *testing.T) {
	s := start(t, false)
	for range 2 { // a second showing on the same data shows as much
		var out bytes.Buffer
		if err := (demo.Demo{URL: s.URL(), Key: s.AdminKey(), Out: &out}).Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(out.String(), "signature verified"); n != 10 {
			t.Errorf("%d verified callbacks, want 10:\n%s", n, &out)
		}
		if want := "See them in the console: " + s.URL() + "/console#key=pk_"; !strings.Contains(out.String(), want) {
			t.Errorf("want the console's address, %s…:\n%s", want, &out)
		}
		if want := `then: {"user":"u1","points":10,"reason":"flight 3"}`; strings.Count(out.String(), want) != 1 {
			t.Errorf("want one line with %s:\n%s", want, &out)
		}
	}
}

func TestARecipeIsShownRequestByRequestWithoutItsSecrets(t *testing.T) {
	for _, name := range recipes.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := recipes.Load(name)
			if err != nil {
				t.Fatal(err)
			}
			s := start(t, true)
			for range 2 { // on the same data
				var out bytes.Buffer
				if err := demo.Recipe(t.Context(), r, s, &out); err != nil {
					t.Fatal(err)
				}
				if n := strings.Count(out.String(), "  ✓ "); n != r.Requests() || n == 0 {
					t.Errorf("%d requests shown, want %d:\n%s", n, r.Requests(), &out)
				}
				for secret, value := range r.Secrets {
					if strings.Contains(out.String(), value) {
						t.Errorf("the secret %s is shown:\n%s", secret, &out)
					}
				}
			}
		})
	}
}
