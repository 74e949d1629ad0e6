package cassandra

import (
	"context"

	gocql "github.com/apache/cassandra-gocql-driver/v2"
)

// OpenAfterLostAnswer makes the tables as one replica whose first ask for a step was carried
// out, and who was not told.
func OpenAfterLostAnswer(ctx context.Context, s Settings) error {
	admin, err := connect(s, "")
	if err != nil {
		return err
	}
	defer admin.Close()
	m := migration{session: admin, settings: s, me: gocql.MustRandomUUID()}
	if err := m.ground(ctx); err != nil {
		return err
	}
	if _, err := m.hold(ctx, 0); err != nil {
		return err
	}
	return m.run(ctx)
}
