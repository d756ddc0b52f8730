package simulation_test

import (
	"testing"
	"time"

	"github.com/postino/postino/infra/test/simulation"
	"github.com/postino/postino/shared/store/storetest"
)

func TestTheStoreOfMapsPassesTheSuite(t *testing.T) {
	storetest.Run(t, func(*testing.T) storetest.Store {
		return storetest.Faulty(simulation.NewStore(), func(method string) error {
			if method == "CreateEvent" || method == "SaveDelivery" {
				time.Sleep(time.Millisecond) // or a list grows faster than it can be read
			}
			return nil
		}, nil)
	})
}
