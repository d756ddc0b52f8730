package recipes_test

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/postino/postino/cmd/postino/recipes"
	"github.com/postino/postino/cmd/postino/server"
)

// start runs a server whose clock stands still; store nil is the local one.
func start(t *testing.T, store server.Store) *server.Server {
	t.Helper()
	s, err := server.Start(t.Context(), server.Config{
		Addr: "127.0.0.1:0", Data: t.TempDir(), AdminKey: "admin-key-of-the-test", EgressAllow: "127.0.0.0/8", TestClock: true,
		Store: store, Version: "test", Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return s
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
