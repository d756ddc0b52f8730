package message

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// names are the decoders of messages in JSON, by the name of their one member.
// The comments name the queues that carry them.
var names = map[string]func(fields []byte) (Message, error){
	"plan_page":       fieldsOf[PlanPage],      // events
	"fire":            fieldsOf[Fire],          // events
	"replay":          fieldsOf[Replay],        // events
	"attempt":         fieldsOf[Attempt],       // retries
	"attempt_by_hand": fieldsOf[AttemptByHand], // resend
	"new_round":       fieldsOf[NewRound],      // exhausted, resend
	"drain":           fieldsOf[Drain],         // resend
	"audit_line":      fieldsOf[AuditLine],     // resend
	"probe":           fieldsOf[Probe],         // resend
	"end_leases":      fieldsOf[EndLeases],     // retries
	"expunge":         fieldsOf[Expunge],       // resend
	"job_slice":       fieldsOf[JobSlice],      // resend
	"audit_job":       fieldsOf[AuditJob],      // resend
}

// encodeJSON writes a message under its name.
func encodeJSON(name string, fields any) []byte { return mustJSON(map[string]any{name: fields}) }

// decodeJSON reads what encodeJSON wrote. A name or a field that is not
// known makes it malformed, and so does a text or a time that is missing.
func decodeJSON(body []byte) (Message, error) {
	var named map[string]json.RawMessage
	if err := json.Unmarshal(body, &named); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	for name, fields := range named {
		if read, known := names[name]; known && len(named) == 1 {
			return read(fields)
		}
		return nil, fmt.Errorf("%w: nothing is called %q", ErrMalformed, name)
	}
	return nil, ErrMalformed
}

// fieldsOf reads the fields of a message.
func fieldsOf[T Message](fields []byte) (Message, error) {
	var m T
	decoder := json.NewDecoder(bytes.NewReader(fields))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&m); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if name := missing(reflect.ValueOf(m)); name != "" {
		return nil, fmt.Errorf("%w: no %s", ErrMalformed, name)
	}
	return m, nil
}

// missing returns the name of the first text or time that is none and must be
// one.
func missing(m reflect.Value) string {
	for i := range m.NumField() {
		name, options, _ := strings.Cut(m.Type().Field(i).Tag.Get("json"), ",")
		kind := m.Field(i).Kind()
		if (kind == reflect.String || kind == reflect.Struct) && m.Field(i).IsZero() && options == "" {
			return name
		}
	}
	return ""
}
