package retry

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
)

// Outcome is what an answer's status means for its delivery.
type Outcome int

// The outcomes. What has no outcome of its own is tried again: one more POST
// costs little, a lost event much.
const (
	Retry     Outcome = iota // failed; try again while the schedule lasts
	Success                  // delivered
	Gone                     // 410: nobody lives there any more
	Permanent                // the subscription says that trying again is no use
)

// String names o for logs.
func (o Outcome) String() string {
	if o < Retry || o > Permanent {
		return strconv.Itoa(int(o))
	}
	return [...]string{"retry", "success", "gone", "permanent"}[o]
}

// Policy is a subscription's own reading of statuses. Its entries are codes,
// "100" to "599", or classes, "1xx" to "5xx". No status below 200 is a success:
// the answer is still to come then, or, after 101, never comes.
type Policy struct {
	Success   []string // ends the delivery well, "200" and up; empty means 2xx
	Permanent []string // ends it badly at once; empty means none
}

// MaxCodes is how many entries each list of a [Policy] may have: room for
// every status that is in use.
const MaxCodes = 100

// The reasons to refuse a [Policy].
var (
	ErrCode         = errors.New(`want a status from "100" to "599", or a class from "1xx" to "5xx"`)
	ErrNoAnswer     = errors.New(`want a status from "200" to "599", or a class from "2xx" to "5xx": what begins with 1 is not an answer yet`)
	ErrTooManyCodes = fmt.Errorf("want at most %d statuses", MaxCodes)
)

// Validate refuses entries that are neither code nor class with an error that
// begins with their place, "success[0]: ", and wraps [ErrCode] or [ErrNoAnswer].
func (p Policy) Validate() error {
	for _, list := range []struct {
		name  string
		codes []string
		least byte // first digit
	}{{"success", p.Success, '2'}, {"permanent", p.Permanent, '1'}} {
		if len(list.codes) > MaxCodes {
			return fmt.Errorf("%s: %w", list.name, ErrTooManyCodes)
		}
		for i, code := range list.codes {
			if !isCode(code) {
				return fmt.Errorf("%s[%d]: %w", list.name, i, ErrCode)
			}
			if code[0] < list.least {
				return fmt.Errorf("%s[%d]: %w", list.name, i, ErrNoAnswer)
			}
		}
	}
	return nil
}

// Outcome reads a status. The first row that fits decides:
//
//	200 or more, named by Success
//	(by default 2xx)                   Success
//	410                                Gone
//	named by Permanent                 Permanent
//	any other, 3xx included            Retry
//
// Redirects fail: they are not followed, since their target is not what the
// subscription's owner entered.
func (p Policy) Outcome(status int) Outcome {
	success := p.Success
	if len(success) == 0 {
		success = defaultSuccess
	}
	switch {
	case status >= 200 && named(success, status):
		return Success
	case status == http.StatusGone:
		return Gone
	case named(p.Permanent, status):
		return Permanent
	}
	return Retry
}

var defaultSuccess = []string{"2xx"}

// isCode accepts [1-5]xx and [1-5][0-9][0-9].
func isCode(code string) bool {
	if len(code) != 3 || code[0] < '1' || code[0] > '5' {
		return false
	}
	return code[1:] == "xx" || isDigit(code[1]) && isDigit(code[2])
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// named reports whether one of codes names status.
func named(codes []string, status int) bool {
	if status < 100 || status > 599 {
		return false
	}
	for _, code := range codes {
		if !isCode(code) || int(code[0]-'0') != status/100 {
			continue
		}
		if code[1:] == "xx" || int(code[1]-'0')*10+int(code[2]-'0') == status%100 {
			return true
		}
	}
	return false
}
