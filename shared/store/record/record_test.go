package record_test

import (
	"testing"

	"github.com/postino/postino/shared/store/record"
	"github.com/postino/postino/shared/store/storetest"
	"github.com/postino/postino/shared/store/table"
)

func TestRecordsInMemoryKeepTheContract(t *testing.T) {
	for name, store := range map[string]func() *record.Store{
		"alone":      func() *record.Store { return record.In(&table.Memory{}).Alone() },
		"among many": func() *record.Store { return record.In(&table.Memory{}) },
		"spread":     func() *record.Store { return record.Spread(&table.Memory{}) },
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Run(t, func(*testing.T) storetest.Store { return store() })
		})
	}
}
