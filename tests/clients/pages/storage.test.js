// What is kept in the browser, also where nothing can be.
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { Drafts } from '../../../static/shared/drafts.js';
import { keys, read, watch, write } from '../../../static/shared/storage.js';
import { Tabs } from './tabs.js';

describe('storage', () => {
  let tabs;
  beforeEach(() => {
    tabs = new Tabs();
    tabs.in(0, () => {});
  });

  test('gives back what was written, and otherwise what was asked for', () => {
    assert.equal(read('key', 'nothing'), 'nothing');
    write('key', { a: [1] });
    assert.deepEqual(read('key', null), { a: [1] });
    localStorage.setItem('key', 'no JSON');
    assert.equal(read('key', 'nothing'), 'nothing');
    write('key', undefined);
    assert.deepEqual(keys('key'), []);
  });

  test('what storage does not take lasts as long as the page', () => {
    write('full', 'old');
    const { setItem } = localStorage;
    localStorage.setItem = () => {
      throw new Error('the quota is used up');
    };
    write('full', 'new');
    assert.equal(read('full', null), 'new');
    assert.deepEqual(keys('full'), ['full']);
    localStorage.setItem = setItem;
    write('full', 'newest');
    assert.equal(read('full', null), 'newest');
    write('full', undefined);
    assert.equal(read('full', null), null);
  });

  test('other tabs hear of keys they watch, and of nothing else', () => {
    let heard = 0;
    const unwatch = tabs.in(1, () => watch('mine', () => (heard += 1)));
    tabs.in(0, () => write('mine too', 1));
    tabs.in(0, () => write('other', 1));
    tabs.deliver();
    assert.equal(heard, 1);
    tabs.in(1, () => window.dispatchEvent(Object.assign(new Event('storage'), { key: null })));
    assert.equal(heard, 2, 'everything was removed');
    unwatch();
    tabs.in(0, () => write('mine too', 2));
    tabs.deliver();
    assert.equal(heard, 2);
  });

  test('drafts of two chats do not touch each other, in two tabs', () => {
    const drafts = [0, 1].map((tab) => tabs.in(tab, () => new Drafts('drafts')));
    tabs.in(0, () => drafts[0].set(1, 'to one'));
    tabs.in(1, () => drafts[1].set(2, 'to two'));
    tabs.deliver();
    for (const tab of [0, 1]) {
      tabs.in(tab, () => {
        assert.equal(drafts[tab].get(1), 'to one');
        assert.equal(drafts[tab].get(2), 'to two');
      });
    }
    tabs.in(0, () => drafts[0].set(1, ''));
    assert.equal(
      tabs.in(0, () => drafts[0].get(1)),
      '',
    );
  });

  test('drafts of earlier versions are taken over', () => {
    localStorage.setItem('drafts', JSON.stringify({ 1: 'from before', 2: 'older' }));
    write('drafts 2', 'newer');
    const drafts = new Drafts('drafts');
    assert.deepEqual([drafts.get(1), drafts.get(2)], ['from before', 'newer']);
    assert.equal(localStorage.getItem('drafts'), null);
  });
});
