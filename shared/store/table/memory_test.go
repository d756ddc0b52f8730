package table_test

import (
	"testing"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/store/table/tabletest"
)

func TestMemoryIsATable(t *testing.T) {
	tabletest.Run(t, func(*testing.T) table.Table { return &table.Memory{} })
}
