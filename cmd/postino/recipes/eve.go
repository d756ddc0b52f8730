package recipes

import (
	"fmt"
	"strings"
	"time"
)

// eveOf is noon of the day before the clocks of a zone are next put forward, or back,
// given as "Europe/Rome forward".
func eveOf(change string, now time.Time) (time.Time, error) {
	name, way, _ := strings.Cut(change, " ")
	zone, err := time.LoadLocation(name)
	if err != nil || way != "forward" && way != "back" {
		return now, fmt.Errorf(`eve %q: want a zone and a way, such as "Europe/Rome forward"`, change)
	}
	const most = 2 * 366
	noon := func(days int) time.Time {
		local := now.In(zone)
		return time.Date(local.Year(), local.Month(), local.Day()+days, 12, 0, 0, 0, zone)
	}
	for day := 1; day < most; day++ {
		_, before := noon(day).Zone()
		_, after := noon(day + 1).Zone()
		if after > before && way == "forward" || after < before && way == "back" {
			return noon(day), nil
		}
	}
	return now, fmt.Errorf("eve %q: the clocks there are not put %s", change, way)
}
