package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// call is what a request to AWS names.
type call struct {
	TableName     string
	IndexName     string
	Key, Item     attributes
	Condition     string     `json:"KeyConditionExpression"`
	Values        attributes `json:"ExpressionAttributeValues"`
	RequestItems  map[string]json.RawMessage
	TransactItems []map[string]struct {
		TableName string
		Key, Item attributes
	}
	QueueURL  string `json:"QueueUrl"`
	SourceARN string `json:"SourceArn"`
	KeyID     string `json:"KeyId"`
	SecretID  string `json:"SecretId"`
}

// attributes are those of an item, of which texts are looked at.
type attributes map[string]struct{ S string }

// partition is that of a key or an item; none if there is no such.
func partition(of ...attributes) (leading []string) {
	for _, a := range of {
		if pk, there := a["pk"]; there {
			leading = append(leading, pk.S)
		}
	}
	return leading
}

// askedFor lists the rights that a call of AWS's JSON protocols needs.
func askedFor(target string, body []byte) (list []asked, err error) {
	var c call
	if err := json.Unmarshal(body, &c); err != nil {
		return nil, err
	}
	service, operation, _ := strings.Cut(target, ".")
	switch service {
	case "DynamoDB_20120810":
		return c.ofTable(operation)
	case "AmazonSQS":
		return c.ofQueue(operation), nil
	case "TrentService":
		return []asked{{right: right{"kms:" + operation, c.KeyID}}}, nil
	case "secretsmanager":
		return []asked{{right: right{"secretsmanager:" + operation, c.SecretID}}}, nil
	}
	return nil, fmt.Errorf("unknown service %s", service)
}

// ofTable: a transaction needs the right of each of its parts, and a query of an
// index that of the index.
func (c call) ofTable(operation string) (list []asked, err error) {
	table := func(name string) string { return arn("dynamodb", "table/"+name) }
	for _, item := range c.TransactItems {
		for part, in := range item {
			action := map[string]string{"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem", "Get": "GetItem"}[part]
			list = append(list, asked{right{"dynamodb:" + action, table(in.TableName)}, partition(in.Key, in.Item)})
		}
	}
	for name, items := range c.RequestItems {
		leading, err := ofBatch(items)
		if err != nil {
			return nil, err
		}
		list = append(list, asked{right{"dynamodb:" + operation, table(name)}, leading})
	}
	if c.TableName == "" {
		return list, nil
	}
	resource, leading := table(c.TableName), partition(c.Key, c.Item)
	if c.IndexName != "" {
		resource += "/index/" + c.IndexName
	}
	if operation == "Query" { // its condition begins with the partition, as in "pk = :p AND …"
		words := strings.Fields(c.Condition)
		if len(words) < 3 || words[1] != "=" {
			return nil, fmt.Errorf("unknown condition of a query: %s", c.Condition)
		}
		leading = []string{c.Values[words[2]].S}
	}
	return append(list, asked{right{"dynamodb:" + operation, resource}, leading}), nil
}

// ofBatch lists the partitions of a batch of reads, or of writes.
func ofBatch(items json.RawMessage) (leading []string, err error) {
	var reads struct{ Keys []attributes }
	if err := json.Unmarshal(items, &reads); err == nil {
		return partition(reads.Keys...), nil
	}
	var writes []struct {
		PutRequest    struct{ Item attributes }
		DeleteRequest struct{ Key attributes }
	}
	if err := json.Unmarshal(items, &writes); err != nil {
		return nil, err
	}
	for _, w := range writes {
		leading = append(leading, partition(w.PutRequest.Item, w.DeleteRequest.Key)...)
	}
	return slices.Compact(leading), nil
}

// ofQueue: a batch needs the right of one. A move of messages reads the source as
// a receiver does.
func (c call) ofQueue(operation string) (list []asked) {
	if operation != "StartMessageMoveTask" {
		return []asked{{right: right{"sqs:" + strings.TrimSuffix(operation, "Batch"), queueARN(c.QueueURL)}}}
	}
	for _, action := range []string{"StartMessageMoveTask", "ReceiveMessage", "DeleteMessage", "GetQueueAttributes"} {
		list = append(list, asked{right: right{"sqs:" + action, c.SourceARN}})
	}
	return list
}
