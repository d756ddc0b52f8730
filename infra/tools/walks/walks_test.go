package main

import "testing"

// TestEveryWalkBeginsSomewhere sees that the functions are still called as
// walks names them, and that a walk goes on from one package into another.
func TestEveryWalkBeginsSomewhere(t *testing.T) {
	code, err := read("../../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range walks {
		if m := code.walk(w.roots); m.functions < 10 || m.files < 5 || m.switches < m.files-1 || m.lines < 3*m.functions {
			t.Errorf("%s: %d functions, %d lines, %d files, %d switches, want a walk", w.name, m.functions, m.lines, m.files, m.switches)
		}
	}
	if got := code.walk([]string{"nothing.Like.it"}); got.functions != 0 {
		t.Errorf("from nowhere %d functions are reached", got.functions)
	}
}
