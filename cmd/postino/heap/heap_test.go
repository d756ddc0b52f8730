package heap

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

func TestGarbageDoesNotGrowWithWhatIsKept(t *testing.T) {
	for _, tt := range []struct {
		live uint64 // MiB
		want int    // percent
	}{
		{0, 400}, {10, 400}, {32, 400},
		{64, 200}, {128, 100},
		{256, 50}, {1024, 50},
	} {
		if got := percent(tt.live << 20); got != tt.want {
			t.Errorf("beside %d MiB %d %% of garbage may lie, want %d", tt.live, got, tt.want)
		}
	}
}

func TestTheCollectorIsAdjustedAfterEachCollection(t *testing.T) {
	t.Setenv("GOGC", "")
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	Tune()
	kept := make([]byte, 128<<20)
	awaitPercent(t, "while 128 MiB are kept", func(p int) bool { return p <= 100 })
	runtime.KeepAlive(kept)
	kept = nil
	awaitPercent(t, "when they are let go", func(p int) bool { return p == mostPercent })
}

// awaitPercent collects until the percentage is as it should be, for a time that
// only ends a test that hangs.
func awaitPercent(t *testing.T, when string, so func(int) bool) {
	t.Helper()
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		runtime.GC()
		now := debug.SetGCPercent(mostPercent)
		debug.SetGCPercent(now)
		if so(now) {
			return
		}
		if time.Since(began) > 20*time.Second {
			t.Fatalf("%s the collector stays at %d %%", when, now)
		}
	}
}

func TestTheEnvironmentDecides(t *testing.T) {
	t.Setenv("GOGC", "123")
	if Tune() {
		t.Error("the collector is adjusted although GOGC says how it is to be")
	}
}
