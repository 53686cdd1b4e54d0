-- Which words the goals of plans and the contents of messages have. The index keeps no copy of the texts; triggers keep it
-- in step, so that nobody who writes can forget. A step that makes `plans` or `messages` anew must make its triggers anew.
CREATE VIRTUAL TABLE plan_words USING fts5 (
    goal, content = 'plans', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 0', columnsize = 0
);
CREATE VIRTUAL TABLE message_words USING fts5 (
    content, content = 'messages', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 0', columnsize = 0
);

CREATE TRIGGER plan_words_of_new AFTER INSERT ON plans BEGIN
    INSERT INTO plan_words (rowid, goal) VALUES (new.id, new.goal);
END;
CREATE TRIGGER plan_words_of_changed AFTER UPDATE OF goal ON plans WHEN old.goal <> new.goal BEGIN
    INSERT INTO plan_words (plan_words, rowid, goal) VALUES ('delete', old.id, old.goal);
    INSERT INTO plan_words (rowid, goal) VALUES (new.id, new.goal);
END;
CREATE TRIGGER plan_words_of_removed AFTER DELETE ON plans BEGIN
    INSERT INTO plan_words (plan_words, rowid, goal) VALUES ('delete', old.id, old.goal);
END;
CREATE TRIGGER message_words_of_new AFTER INSERT ON messages BEGIN
    INSERT INTO message_words (rowid, content) VALUES (new.id, new.content);
END;
CREATE TRIGGER message_words_of_changed AFTER UPDATE OF content ON messages WHEN old.content <> new.content BEGIN
    INSERT INTO message_words (message_words, rowid, content) VALUES ('delete', old.id, old.content);
    INSERT INTO message_words (rowid, content) VALUES (new.id, new.content);
END;
CREATE TRIGGER message_words_of_removed AFTER DELETE ON messages BEGIN
    INSERT INTO message_words (message_words, rowid, content) VALUES ('delete', old.id, old.content);
END;

INSERT INTO plan_words (plan_words) VALUES ('rebuild');
INSERT INTO message_words (message_words) VALUES ('rebuild');
