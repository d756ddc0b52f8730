package localstore

import (
	"testing"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/store/table/tabletest"
)

func TestTheItemsAreATable(t *testing.T) {
	tabletest.Run(t, func(t *testing.T) table.Table { return itemTable{open(t).db} })
}
