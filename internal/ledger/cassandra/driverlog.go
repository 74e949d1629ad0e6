package cassandra

import (
	"context"
	"log/slog"

	gocql "github.com/apache/cassandra-gocql-driver/v2"
)

// driverLog passes on what the driver says. It calls much an error that it mends itself, and
// repeats it as long as a node is away; what fails for it, our own callers say.
type driverLog struct{ log *slog.Logger }

func (d driverLog) say(level slog.Level, text string, fields []gocql.LogField) {
	args := []any{"text", text}
	for _, f := range fields {
		args = append(args, slog.String(f.Name, f.Value.String()))
	}
	d.log.Log(context.Background(), level, "the Cassandra driver speaks", args...)
}

// Error implements gocql.StructuredLogger.
func (d driverLog) Error(text string, fields ...gocql.LogField) {
	d.say(slog.LevelInfo, text, fields)
}

// Warning implements gocql.StructuredLogger.
func (d driverLog) Warning(text string, fields ...gocql.LogField) {
	d.say(slog.LevelDebug, text, fields)
}

// Info implements gocql.StructuredLogger.
func (d driverLog) Info(text string, fields ...gocql.LogField) { d.say(slog.LevelDebug, text, fields) }

// Debug implements gocql.StructuredLogger.
func (d driverLog) Debug(text string, fields ...gocql.LogField) { d.say(slog.LevelDebug, text, fields) }
