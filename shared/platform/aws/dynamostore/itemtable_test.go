package dynamostore_test

import (
	"testing"

	stored "github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/store/table/tabletest"
)

func TestTheItemsAreATable(t *testing.T) {
	tabletest.Run(t, func(t *testing.T) stored.Table { return open(t).Items() })
}
