package dynamostore

// key is where an item stands.
type key struct{ pk, sk string }
