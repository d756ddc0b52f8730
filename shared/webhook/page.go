package webhook

import "time"

// Page asks for one page of a list.
type Page struct {
	Limit    int       // entries wanted, 1-250; a page may hold fewer
	Position string    // where the page before ended, as the store gave it; "" means the beginning
	Desc     bool      // newest (or last) first
	After    time.Time // only what was accepted after this; zero means no bound
	Before   time.Time // only what was accepted before this; zero means no bound
}

// EventFilter narrows a list of events; "" means any.
type EventFilter struct {
	Type    string // a trailing "*" matches a prefix
	Subject string
}

// DeliveryFilter narrows a list of deliveries; "" means any.
type DeliveryFilter struct {
	Subscription string
	Status       Status
	Subject      string // of the event
}

// DueShards is the number of partitions that the due pointers of one minute
// are spread over. DynamoDB writes 1,000 a second in each, and each is read in
// every minute, though nothing is due.
const DueShards = 8
