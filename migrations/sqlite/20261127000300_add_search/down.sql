DROP TRIGGER plan_words_of_new;
DROP TRIGGER plan_words_of_changed;
DROP TRIGGER plan_words_of_removed;
DROP TRIGGER message_words_of_new;
DROP TRIGGER message_words_of_changed;
DROP TRIGGER message_words_of_removed;
DROP TABLE plan_words;
DROP TABLE message_words;
