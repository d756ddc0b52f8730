package main

import (
	"context"
	"strings"
	"testing"
)

func TestWhatIsNoCommandIsExplained(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{nil, "want a command"},
		{[]string{"serv"}, `there is no command "serv"; did you mean "serve"?`},
		{[]string{"frobnicate"}, `there is no command "frobnicate"; postino help lists all`},
		{[]string{"-addr", ":80"}, "as in postino serve -addr"},
		{[]string{"serve", "loyalty"}, `unexpected argument "loyalty": serve has only flags`},
		{[]string{"demo", "loyalt"}, "want one of abandoned-cart,"},
		{[]string{"demo", "loyalty", "-addr"}, "write flags before the recipe"},
		{[]string{"backup"}, "-to is missing"},
		{[]string{"backup", "-to", "x", "y"}, `unexpected argument "y"`},
		{[]string{"backup", "-data", "nowhere", "-to", "x"}, "nowhere has no data of Postino"},
		{[]string{"restore"}, "-from is missing"},
		{[]string{"restore", "-from", "nothing"}, "open nothing"},
		{[]string{"serve", "-retention", "soon"}, `invalid value "soon" for flag -retention`},
	} {
		err := run(context.Background(), tt.args)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("postino %s: %v, want an error with %q", strings.Join(tt.args, " "), err, tt.want)
		}
	}
}

func TestEveryCommandIsListedByHelp(t *testing.T) {
	var list strings.Builder
	help(&list)
	for _, c := range commands() {
		if !strings.Contains(list.String(), "\n  postino "+c.name) || !strings.Contains(list.String(), c.about) {
			t.Errorf("help does not list %s:\n%s", c.name, list.String())
		}
	}
}
