package fanout_test

import (
	"testing"

	"github.com/postino/postino/shared/store/storetest"
)

func TestTheSimulatorFindsPartsThatForgetTheirArray(t *testing.T) {
	for seed := range uint64(400) {
		faults := play(t, seed, shapes, func() storetest.Store { return newMemory() }, func(h *history) { h.strays = true })
		if len(faults) > 0 {
			t.Log(faults[0])
			return
		}
	}
	t.Error("parts that do not say of which array they are were not noticed")
}
