package demo

import "testing"

func TestOneRequestIsNotManyRequests(t *testing.T) {
	for n, want := range map[int]string{1: "1 request,", 2: "2 requests, each"} {
		if got := count(n); got != want {
			t.Errorf("count(%d) = %q, want %q", n, got, want)
		}
	}
}
