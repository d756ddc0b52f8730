// Package secret protects secrets: it encrypts them for storage, and hides them
// when they are printed.
//
// A sealed secret opens only with the right data key and only in the place it
// was sealed for, so a row that somebody copies to another tenant, another
// subscription or another field is of no use there.
package secret

import (
	"fmt"
	"log/slog"
)

// String is text that must not be seen. Printed, logged or marshaled in any
// way it is ***; only [String.Reveal] gives it away. It must not be a map's key,
// where encoding/json looks at the bare string.
type String string

const stars = "***"

// Reveal returns the secret itself, for the one call that needs it.
func (s String) Reveal() string { return string(s) }

// String returns ***.
func (s String) String() string { return stars }

// Format prints *** for every verb.
func (s String) Format(f fmt.State, _ rune) { fmt.Fprint(f, stars) }

// MarshalJSON writes "***".
func (s String) MarshalJSON() ([]byte, error) { return []byte(`"` + stars + `"`), nil }

// MarshalText writes ***.
func (s String) MarshalText() ([]byte, error) { return []byte(stars), nil }

// LogValue logs ***.
func (s String) LogValue() slog.Value { return slog.StringValue(stars) }
