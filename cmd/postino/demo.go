package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/postino/postino/cmd/postino/demo"
	"github.com/postino/postino/cmd/postino/recipes"
	"github.com/postino/postino/cmd/postino/server"
)

// runDemo serves and plays: a recipe if one is named, else the main job.
func runDemo(ctx context.Context, args []string) error {
	c := configuration()
	flags := serveFlags("demo", &c)
	if err := flags.Parse(args); err != nil {
		return err
	}
	switch flags.NArg() {
	case 0:
		return serve(ctx, c, func(ctx context.Context, s *server.Server) error {
			return demo.Demo{URL: s.URL(), Key: s.AdminKey(), Out: os.Stdout}.Run(ctx)
		})
	case 1:
		return playRecipe(ctx, c, flags.FlagSet)
	}
	return fmt.Errorf("unexpected argument %q: write flags before the recipe, and name one recipe", flags.Arg(1))
}

// playRecipe plays the recipe that is named. That takes days, so the clock is
// moved, and the data stands apart from real data unless -data names a folder.
func playRecipe(ctx context.Context, c server.Config, flags *flag.FlagSet) error {
	r, err := recipes.Load(flags.Arg(0))
	if err != nil {
		return err
	}
	c.TestClock = true
	given := false
	flags.Visit(func(f *flag.Flag) { given = given || f.Name == "data" })
	if !given {
		if c.Data, err = os.MkdirTemp("", "postino-"); err != nil {
			return err
		}
		defer os.RemoveAll(c.Data)
	}
	return serve(ctx, c, func(ctx context.Context, s *server.Server) error {
		return demo.Recipe(ctx, r, s, os.Stdout)
	})
}
