package e2e

import (
	"bytes"
	"encoding/json"
	"strings"
)

// reads and writes are the operations that DynamoDB bills.
var (
	reads  = map[string]bool{"GetItem": true, "BatchGetItem": true, "Query": true}
	writes = map[string]bool{"PutItem": true, "UpdateItem": true, "DeleteItem": true, "BatchWriteItem": true, "TransactWriteItems": true}
)

// askForCapacity has DynamoDB say what a call consumes.
func askForCapacity(operation string, request []byte) []byte {
	if !reads[operation] && !writes[operation] {
		return request
	}
	rest, ok := bytes.CutPrefix(bytes.TrimSpace(request), []byte("{"))
	if !ok {
		return request
	}
	return append([]byte(`{"ReturnConsumedCapacity":"INDEXES",`), rest...)
}

// consumed is what DynamoDB says that a call used of one table.
type consumed struct {
	CapacityUnits          float64
	Table                  struct{ CapacityUnits float64 }
	GlobalSecondaryIndexes map[string]struct{ CapacityUnits float64 }
}

// tableCall notes what DynamoDB bills for a call, as TestWhatEachOperationCosts
// of dynamostore does.
func (m *meter) tableCall(e exchange) {
	kind := "read."
	if writes[e.operation] {
		kind = "write."
	}
	var in struct {
		TransactItems  []json.RawMessage
		ConsistentRead bool
		IndexName      string
		RequestItems   map[string]json.RawMessage
	}
	var out struct {
		ConsumedCapacity json.RawMessage
		Count            int
		Responses        map[string][]json.RawMessage
		UnprocessedKeys  map[string]batch
	}
	if json.Unmarshal(e.request, &in) != nil || json.Unmarshal(e.answer, &out) != nil {
		return
	}
	if e.operation == "TransactWriteItems" {
		m.add("write.table", 2*float64(len(in.TransactItems))) // DynamoDB Local does not bill them as DynamoDB does
		return
	}
	for _, c := range capacities(out.ConsumedCapacity) {
		m.add(kind+"table", c.Table.CapacityUnits)
		for _, index := range c.GlobalSecondaryIndexes {
			m.add(kind+"index", index.CapacityUnits)
		}
	}
	// DynamoDB bills what finds nothing, DynamoDB Local does not.
	if e.operation == "Query" && out.Count == 0 {
		m.add(kind+whole(in.IndexName), leastRead(in.ConsistentRead))
	}
	if e.operation == "BatchGetItem" {
		for table, text := range in.RequestItems {
			var asked batch
			if json.Unmarshal(text, &asked) == nil {
				absent := len(asked.Keys) - len(out.Responses[table]) - len(out.UnprocessedKeys[table].Keys)
				m.add(kind+"table", float64(absent)*leastRead(asked.ConsistentRead))
			}
		}
	}
}

// batch are the keys of one table in a BatchGetItem.
type batch struct {
	Keys           []json.RawMessage
	ConsistentRead bool
}

// leastRead is the fewest units of a read.
func leastRead(consistent bool) float64 {
	if consistent {
		return 1
	}
	return 0.5
}

func whole(index string) string {
	if index != "" {
		return "index"
	}
	return "table"
}

// capacities reads one capacity or a list of them.
func capacities(text json.RawMessage) (list []consumed) {
	if strings.HasPrefix(string(text), "[") {
		json.Unmarshal(text, &list)
		return list
	}
	var one consumed
	if json.Unmarshal(text, &one) == nil {
		list = append(list, one)
	}
	return list
}
