package webhook

// Trial is a rendered request to be sent once and stored nowhere.
type Trial struct {
	Delivery string // the id that it is sent under
	Event    string
	Target   Target
	Content  Content
	Emitted  *Event // what would be made of it when it fires; nil for nothing

	Elsewhere bool // it goes to another url than the subscription's: no secret goes with it
}
