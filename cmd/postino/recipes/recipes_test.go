package recipes_test

import (
	"math/rand/v2"
	"testing"

	"github.com/postino/postino/cmd/postino/recipes"
	"github.com/postino/postino/cmd/postino/server"
	"github.com/postino/postino/cmd/postino/server/servertest"
)

// start runs a server whose clock stands still; store nil is the local one.
func start(t *testing.T, store server.Store) *server.Server {
	t.Helper()
	return servertest.Start(t, servertest.StandStill, func(c *server.Config) { c.Store = store })
}

// ways are how each recipe is played: whatever comes twice or in another
// order, the same requests follow.
var ways = []struct {
	name   string
	player func() recipes.Player
}{
	{"as-written", func() recipes.Player { return recipes.Player{} }},
	{"each-twice", func() recipes.Player { return recipes.Player{Copies: 2} }},
	{"shuffled", func() recipes.Player { return recipes.Player{Copies: 2, Order: rand.New(rand.NewPCG(1, 2))} }},
}

// playAll plays every recipe in every way on servers that open makes.
func playAll(t *testing.T, open func(t *testing.T) *server.Server) {
	for _, name := range recipes.Names() {
		r, err := recipes.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, way := range ways {
			if way.name == "shuffled" && !r.AnyOrder {
				continue
			}
			t.Run(name+"/"+way.name, func(t *testing.T) {
				t.Parallel()
				if err := way.player().Play(t.Context(), r, open(t), "acme"); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func TestRecipesOnTheLocalStore(t *testing.T) {
	playAll(t, func(t *testing.T) *server.Server { return start(t, nil) })
}
