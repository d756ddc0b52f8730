package main

import (
	"strings"
	"testing"
)

func TestAnArgumentThatNoFlagTakesIsExplained(t *testing.T) {
	for _, tt := range []struct {
		argument string
		demo     bool
		want     string
	}{
		{"loyalty", true, "did you mean -demo=loyalty?"},
		{"loyalty", false, "there are only flags"},
		{"nope", true, "there are only flags"},
	} {
		if err := unexpected(tt.argument, tt.demo); !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s, -demo %v: %v, want %q", tt.argument, tt.demo, err, tt.want)
		}
	}
}

func TestDemoStandsAloneOrNamesARecipe(t *testing.T) {
	for _, tt := range []struct {
		value, recipe, wrong string
		set                  bool
	}{
		{"true", "", "", true},
		{"false", "", "", false},
		{"line", "LINE: a push message, once", "", true},
		{"nope", "", "want one of abandoned-cart,", true},
	} {
		var d demoFlag
		if err := d.Set(tt.value); err != nil || d.set != tt.set {
			t.Errorf("-demo=%s: set %v, %v, want %v", tt.value, d.set, err, tt.set)
		}
		err := d.load()
		if tt.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), tt.wrong) {
				t.Errorf("-demo=%s: %v, want an error with %q", tt.value, err, tt.wrong)
			}
			continue
		}
		if err != nil || (d.recipe == nil) != (tt.recipe == "") || d.recipe != nil && d.recipe.Title != tt.recipe {
			t.Errorf("-demo=%s: %v, %v, want the recipe %q", tt.value, d.recipe, err, tt.recipe)
		}
	}
}
