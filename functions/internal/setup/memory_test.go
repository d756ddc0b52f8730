package setup

import (
	"math"
	"runtime/debug"
	"testing"
)

func TestGarbageIsCollectedBeforeItFillsTheFunctionsMemory(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(-1))
	for memory, want := range map[string]int64{"256": 230_087_532, "1769": 1_589_940_804, "": math.MaxInt64, "no": math.MaxInt64} {
		debug.SetMemoryLimit(math.MaxInt64)
		limitHeap(memory)
		if got := debug.SetMemoryLimit(-1); got != want {
			t.Errorf("with %q MB the limit is %d, want %d", memory, got, want)
		}
	}
}
