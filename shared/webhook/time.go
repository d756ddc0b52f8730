package webhook

import "time"

// timeLayout has a fixed number of digits, so that times sort as text.
const timeLayout = "2006-01-02T15:04:05.000Z"

// FormatTime writes a time as it is shown everywhere, in callbacks, answers and
// events: RFC 3339, UTC, milliseconds. What is finer is cut off.
func FormatTime(t time.Time) string { return t.UTC().Format(timeLayout) }

// Time is a time as the API shows it; see [FormatTime]. The zero Time is null.
type Time time.Time

// MarshalJSON writes the time.
func (t Time) MarshalJSON() ([]byte, error) {
	at := time.Time(t).UTC()
	if at.IsZero() {
		return []byte("null"), nil
	}
	return at.AppendFormat(nil, `"`+timeLayout+`"`), nil
}
